"""Figures of all studies side by side: for the terminal, as one HTML page, and as a table for a document."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from rich import box
from rich.table import Table

from server.report import wording
from server.report.stylesheet import STYLESHEET
from simulations.catalog.ample import WITHIN
from simulations.catalog.lines import Line
from simulations.catalog.sizes import Size

FILE, DOCUMENT = "summary.html", "summary.md"
NOTE = (
    "One run of each study on invented patients. Oracle: what the truth that invented them reaches. Private: federated "
    "under differential privacy; the other arms are without. Alone: mean of the training hospitals. Published figures "
    "are of other, real patients: no test of these."
)
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ stylesheet }}
body { display: block; max-width: 80rem; } main > h2 { margin: 2.25rem 0 0.5rem; } main > ul { margin-top: 0; }
td:nth-child(2), td:nth-last-child(2) { min-width: 9.5rem; } th[scope="row"] { white-space: nowrap; }</style></head>
<body><main><h1>{{ title }}</h1><p>{{ note }}</p>
<div class="scroll"><table>
<thead><tr>{% for name in head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for line, cells in rows %}<tr><th scope="row">{% if line.folder %}<a href="{{ line.folder }}/report.html">{% endif
 %}{{ cells[0] }}{% if line.folder %}</a>{% endif %}</th>{% for cell in cells[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% for line, _ in rows if line.inferred or line.faults or line.withheld %}<h2>{{ line.name }}</h2>
<ul>{% for text in line.faults %}<li><strong>Failed: {{ text }}</strong></li>{% endfor
 %}{% if line.withheld %}<li>No figure: {{ line.withheld }}</li>{% endif
 %}{% for text in line.inferred %}<li>Design inferred: {{ text }}</li>{% endfor %}</ul>
{% endfor %}</main></body></html>
"""


def _number(value: float | None) -> str:
    return wording.DASH if value is None else f"{value:.3f}"


def _figure(line: Line) -> str:
    return f"{wording.metric_name(line.metric)}, {line.cohort}" if line.metric else wording.DASH


def _published(line: Line) -> str:
    """The paper's figure, with what it is of where that is not what ours is of."""
    if not line.published:
        return wording.DASH
    metric, cohort = line.published_metric or line.metric, line.published_cohort or line.cohort
    name = wording.metric_name(metric)
    other = [name if name.isupper() else name[0].lower() + name[1:]] if metric != line.metric else []
    other += [cohort] if cohort != line.cohort else []
    value, low, high = line.published
    ends = "" if low is None or high is None else f" ({wording.printed_range(low, high, metric)})"
    text = f"{wording.printed(value, metric)}{ends}"
    return f"{text}, {', '.join(other)}" if other else text


def _within(line: Line) -> str:
    """Whether neither the oracle nor the pooled arm is further away than it may be; by the figures as they are told."""
    lost = (line.below_oracle, line.below_pooled)
    if None in lost:
        return wording.DASH
    return "yes" if all(round(gap or 0.0, 3) <= WITHIN for gap in lost) else "no"


COLUMNS: dict[str, Callable[[Line], str]] = {
    "study": lambda line: line.name,
    "figure": _figure,
    "oracle": lambda line: _number(line.oracle),
    "pooled": lambda line: _number(line.pooled),
    "federated": lambda line: _number(line.federated),
    "private": lambda line: _number(line.private),
    "alone": lambda line: _number(line.alone),
    "published": _published,
    "below oracle": lambda line: _number(line.below_oracle),
    "below pooled": lambda line: _number(line.below_pooled),
    "within .03": _within,
    "s": lambda line: f"{line.seconds:.0f}",
}


def cells_of(size: Size, line: Line) -> tuple[str, ...]:
    """A study's row, in the order of the size's columns."""
    return tuple(COLUMNS[name](line) for name in size.columns)


def table_of(size: Size, lines: Sequence[Line]) -> Table:
    """For the terminal; failed studies stand out."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in size.columns:
        table.add_column(name, no_wrap=name == "study", justify="left" if name in ("study", "figure") else "right")
    for line in lines:
        table.add_row(*cells_of(size, line), style="bold red" if line.faults else "")
    return table


def write_page(results: Path, size: Size, lines: Sequence[Line]) -> Path:
    """``summary.html`` in the folder of results, each study leading to its report; beside it the table as Markdown."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    rows = [(line, cells_of(size, line)) for line in lines]
    page = environment.from_string(TEMPLATE).render(
        title=size.title, note=NOTE, head=size.columns, rows=rows, stylesheet=Markup(STYLESHEET)
    )
    (results / FILE).write_text(page, encoding="utf-8")
    written = [size.columns, ("---",) * len(size.columns), *((f"`{cells[0]}`", *cells[1:]) for _, cells in rows)]
    document = "".join(f"| {' | '.join(cells)} |\n" for cells in written)
    (results / DOCUMENT).write_text(document, encoding="utf-8")
    return results / FILE
