"""The page's template, as a module because a Flower bundle carries no .html files."""

TEMPLATE = """\
{% macro small(lines) %}
{%- for line in lines %}<small{% if line | length > 30 %} class="long"{% endif %}>{{ line }}</small>
{%- endfor %}{% endmacro %}
{% macro words(cell) %}
{% if cell.link %}<a href="#{{ cell.link }}">{{ cell.text }}</a>{% else %}{{ cell.text }}{% endif %}
{{- small(cell.small) }}
{%- endmacro %}
{% macro look(cell) %}
{%- if cell.number or cell.soft or cell.strong %} class="{{ [
"number" if cell.number, "soft" if cell.soft, "strong-cell" if cell.strong] | select | join(" ") }}"{% endif %}
{%- endmacro %}
{% macro table(t) %}
<div class="scroll{% if t.compact %} compact{% endif %}" role="region" aria-labelledby="table-{{ t.key }}" tabindex="0"
{%- if t.key == "baseline" %} id="baseline"{% endif %}>
<table>
<caption id="table-{{ t.key }}"><span><b>Table {{ numbers["table-" ~ t.key] }}.</b> {{ t.caption }}</span></caption>
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
<tr class="group"><th scope="rowgroup" colspan="{{ t.head | length }}"><span>{{ group.title }}</span></th></tr>
{% endif %}
{% for row in group.rows %}
<tr{% if row[0].strong %} class="strong"{% endif %}>
{% for cell in row %}
{% if loop.first %}
<th scope="row">{{ cell.text }}{{ small(cell.small) }}</th>
{% else %}
<td{{ look(cell) -}}
{% if cell.text == "–" and cell.small %} title="{{ cell.small | join(", ") }}"{% endif %}>
{{- words(cell) }}</td>
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
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ study.title }} – Medley report</title>
<style>
{{ stylesheet }}
</style>
</head>
<body>
<header>
<p class="kicker">Medley · multicenter validation report</p>
<h1>{{ study.title }}</h1>
<p class="privacy{% if not private %} unprotected{% endif %}">{{ privacy_line }}</p>
<p class="facts">Study {{ study.name }}, digest {{ study.digest[:12] }}; engine {{ engine }}; seed {{ seed }}</p>
</header>
<nav aria-label="Contents">
<ol>
{% for section in sections %}
<li><a href="#{{ section.key }}">{{ section.title }}</a></li>
{% endfor %}
</ol>
</nav>
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
<h2 id="{{ section.key }}">{{ loop.index }}. {{ section.title }}</h2>
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
{% for figure in section.figures %}
<figure id="figure-{{ figure.key }}" class="{{ figure.form }}">
<div class="panels"{% if figure.form == "wide" %} role="region" aria-label="{{ figure.title }}" tabindex="0"{% endif %}>
{% for panel in figure.panels %}
{{ panel.svg | drawing }}
{%- endfor %}
</div>
<figcaption><b>Figure {{ numbers["figure-" ~ figure.key] }}. {{ figure.title }}.</b> {{ figure.caption }}</figcaption>
</figure>
{% endfor %}
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
