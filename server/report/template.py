"""The page's template, as a module because a Flower bundle carries no .html files."""

TEMPLATE = """\
{% macro small(lines) %}{% for line in lines %}<small>{{ line }}</small>{% endfor %}{% endmacro %}
{% macro table(t) %}
<div class="scroll" role="region" aria-labelledby="table-{{ t.key }}" tabindex="0">
<table>
<caption id="table-{{ t.key }}"><span>{{ t.caption }}</span></caption>
<thead>
<tr>
{% for cell in t.head %}
<th scope="col"{% if cell.number %} class="number"{% endif %}>{{ cell.text }}{{ small(cell.small) }}</th>
{% endfor %}
</tr>
</thead>
{% for group in t.groups %}
<tbody>
{% if group.title %}
<tr class="group"><th scope="rowgroup" colspan="{{ t.head | length }}">{{ group.title }}</th></tr>
{% endif %}
{% for row in group.rows %}
<tr{% if row[0].strong %} class="strong"{% endif %}>
{% for cell in row %}
{% if loop.first %}
<th scope="row">{{ cell.text }}{{ small(cell.small) }}</th>
{% else %}
<td{% if cell.number %} class="number"{% endif %}
{% if cell.text == "–" and cell.small %} title="{{ cell.small | join(", ") }}"{% endif %}>
{{- cell.text }}{{ small(cell.small) }}</td>
{% endif %}
{% endfor %}
</tr>
{% endfor %}
</tbody>
{% endfor %}
</table>
</div>
{% for note in t.notes %}
<p class="note">{{ note }}</p>
{% endfor %}
{% endmacro %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ study.title }} – Medley report</title>
<style>
{{ stylesheet }}
</style>
</head>
<body>
<header>
<h1>{{ study.title }}</h1>
<p class="privacy{% if not private %} unprotected{% endif %}">{{ privacy_line }}</p>
<p class="facts">Study {{ study.name }}, digest {{ study.digest[:12] }}; engine {{ engine }}; seed {{ seed }}</p>
</header>
<main>
{% if warnings %}
<section class="warnings" aria-labelledby="warnings">
<h2 id="warnings">Warnings</h2>
<ul>
{% for warning in warnings %}
<li>{{ warning }}</li>
{% endfor %}
</ul>
</section>
{% endif %}
{% for section in sections %}
<section aria-labelledby="{{ section.key }}">
<h2 id="{{ section.key }}">{{ section.title }}</h2>
{% if section.terms %}
<dl>
{% for term, lines in section.terms %}
<dt>{{ term }}</dt>
<dd>{% for line in lines %}<p>{{ line }}</p>{% endfor %}</dd>
{% endfor %}
</dl>
{% endif %}
{% for paragraph in section.paragraphs %}
<p>{{ paragraph }}</p>
{% endfor %}
{% if section.figures %}
<div class="figures">
{% for figure in section.figures %}
<figure>
{{ figure.svg | drawing }}
<figcaption>{{ figure.caption }}</figcaption>
</figure>
{% endfor %}
</div>
{% endif %}
{% for t in section.tables %}
{{ table(t) }}
{% endfor %}
{% if section.points %}
<ul>
{% for point in section.points %}
<li>{{ point }}</li>
{% endfor %}
</ul>
{% endif %}
</section>
{% endfor %}
</main>
</body>
</html>
"""
