"""Figures of all studies side by side, as a table for the terminal and as one HTML page."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from rich import box
from rich.table import Table

from server.report import wording
from server.report.stylesheet import STYLESHEET
from simulations.catalog.lines import ARMS, Line

FILE = "summary.html"
HEAD = ("study", "figure", *ARMS, "published", "s")
NOTE = (
    "One run of each study on invented patients. Oracle: what the truth that invented them reaches. Private: federated "
    "under differential privacy; the other arms are without. Alone: mean of the training hospitals. Published figures "
    "are of other, real patients: no test of these."
)
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ stylesheet }}</style></head>
<body><main><h1>{{ title }}</h1><p>{{ note }}</p>
<table><thead><tr>{% for name in head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for line, cells in rows %}<tr><th scope="row">{% if line.folder %}<a href="{{ line.folder }}/report.html">{% endif
 %}{{ cells[0] }}{% if line.folder %}</a>{% endif %}</th>{% for cell in cells[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>
{% for line, _ in rows if line.inferred or line.faults %}<h2>{{ line.name }}</h2>
<ul>{% for text in line.faults %}<li><strong>Failed: {{ text }}</strong></li>{% endfor
 %}{% for text in line.inferred %}<li>Design inferred: {{ text }}</li>{% endfor %}</ul>
{% endfor %}</main></body></html>
"""


def cells_of(line: Line) -> tuple[str, ...]:
    """A study's row, in the order of HEAD."""
    figures = (wording.DASH if (value := getattr(line, arm)) is None else f"{value:.3f}" for arm in ARMS)
    printed = wording.with_interval(*line.published, line.metric) if line.published else wording.DASH
    figure = f"{wording.metric_name(line.metric)}, {line.cohort}" if line.metric else wording.DASH
    return (line.name, figure, *figures, printed, f"{line.seconds:.0f}")


def table_of(lines: Sequence[Line]) -> Table:
    """For the terminal; failed studies stand out."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in HEAD:
        table.add_column(name, no_wrap=name == "study", justify="left" if name in ("study", "figure") else "right")
    for line in lines:
        table.add_row(*cells_of(line), style="bold red" if line.faults else "")
    return table


def write_page(results: Path, title: str, lines: Sequence[Line]) -> Path:
    """``summary.html`` in the folder of results; each study leads to its report."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    page = environment.from_string(TEMPLATE).render(
        title=title,
        note=NOTE,
        head=HEAD,
        rows=[(line, cells_of(line)) for line in lines],
        stylesheet=Markup(STYLESHEET),
    )
    (results / FILE).write_text(page, encoding="utf-8")
    return results / FILE
