"""Tables for the terminal: every model under every arm in about 105 columns, and any table of the report."""

from rich import box
from rich.table import Table
from rich.text import Text

from server.report import wording
from server.report.layout import Cell
from server.report.layout import Table as PageTable
from server.report.results import Results
from server.report.sections.modalities import missing_modalities
from server.report.side_by_side import blocks, common_size
from server.report.view import Estimate, View

NAME_WIDTH = 18
INTERVAL_WIDTH = 11
LEGEND = (
    "Small type under the primary model: 95 % intervals, of a mean its range; all others are in the report. "
    "alone: mean of the training hospitals."
)


def summary_table(results: Results) -> Table:
    """AUC of each model by arm, internal and external (or by left-out hospital), with the privacy line under it."""
    view = View(results)
    table = Table(
        title=wording.metric_name(view.measure),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.caption = Text(f"{wording.privacy_line(results)}\n{LEGEND}")
    table.caption_justify, table.caption_style = "left", "none"
    table.add_column("model", min_width=NAME_WIDTH)
    for column in view.columns:
        table.add_column(f"{column.arm}\n{column.protection}", width=INTERVAL_WIDTH)
    for block in blocks(view):
        table.add_section()
        sizes = [common_size(figures) for model, figures in block.rows if model == view.primary]
        known = f"\n{wording.counts(*sizes[0])} events" if sizes and sizes[0] else ""
        table.add_row(Text.assemble((block.title, "bold"), (known, "dim")))
        for model, figures in block.rows:
            cells = [_cell(figure, view.measure, model == view.primary) for figure in figures]
            table.add_row(_folded(model), *cells, style="bold" if model == view.primary else "")
    return table


def removal_table(results: Results, most: int = 24) -> Table | None:
    """The primary model with each modality taken away; None where there is nothing to tell, or it would be long."""
    found = missing_modalities(View(results))
    if not found or sum(len(group.rows) for group in found[0].groups) > most:
        return None
    return plain_table(found[0])


def plain_table(table: PageTable) -> Table:
    """A table of the report, small type dimmed."""
    shown = Table(title=table.caption, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    shown.caption, shown.caption_justify, shown.caption_style = Text("\n".join(table.notes)), "left", "none"
    for cell in table.head:
        shown.add_column(_text(cell), justify="right" if cell.number else "left")
    for group in table.groups:
        if group.title:
            shown.add_section()
            shown.add_row(Text(group.title, "bold"))
        for row in group.rows:
            shown.add_row(*(_text(cell) for cell in row))
    return shown


def _text(cell: Cell) -> Text:
    lines = [(f"\n{line}", "dim") for line in cell.small]
    return Text.assemble((cell.text, "bold" if cell.strong else ""), *lines)


def _cell(figure: Estimate, measure: str, with_interval: bool) -> Text:
    if figure.value is None:
        return Text(f"{wording.DASH} {figure.reason}")
    text = Text(wording.number(figure.value, measure))
    if with_interval and figure.low is not None and figure.high is not None:
        text.append(f"\n{wording.interval(figure.low, figure.high, measure)}", style="dim")
    return text


def _folded(model: str) -> Text:
    """A model's name, its lines broken before a plus sign only."""
    lines = [""]
    for part in model.replace("+", " +").split(" "):
        if lines[-1] and len(lines[-1] + part) > NAME_WIDTH:
            lines.append("")
        lines[-1] += part
    return Text("\n".join(lines))
