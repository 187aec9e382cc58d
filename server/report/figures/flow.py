"""The flow of patients at each hospital: in its table, left out by which rule, and in which cohort."""

import textwrap
from collections.abc import Sequence

from server.report import wording
from server.report.figures.drawing import INK, Drawing, Pen, Type
from server.report.figures.models import shortened
from server.report.layout import WIDE, Drawn, Figure
from server.report.participants import CohortRecord
from server.report.view import View, unique

COLUMN, GAP, ABREAST, LINE, PAD = 152.0, 20.0, 5, 14.0, 8.0
ARROW, EDGE = 20.0, Pen(INK, 0.9, opacity=0.75)
LETTERS = 24  # a line of a box holds about so many


def flow_figure(view: View) -> tuple[Figure, ...]:
    """A column a hospital; in leave-one-site-out each hospital as the one left out."""
    rows = view.cohorts
    sites = unique(row.site for row in rows)
    if not sites:
        return ()
    columns = [(site, [row for row in rows if row.site == site and _shown(view, row)]) for site in sites]
    left_out = " Each hospital is external once, and trains in the other folds." if view.left_out else ""
    caption = (
        "From a hospital's table to its cohorts. Left out: rows of the table, by rule, before there were cohorts. A "
        f"number that is too small to report is {wording.DASH}.{left_out}"
    )
    return (Figure("flow", "Flow of patients", (_drawn(columns),), caption, form=WIDE),)


def _shown(view: View, row: CohortRecord) -> bool:
    return row.name == "external" if view.left_out else True


def _drawn(columns: Sequence[tuple[str, list[CohortRecord]]]) -> Drawn:
    abreast = min(len(columns), ABREAST)
    drawing = Drawing("flow", "Flow of patients at each hospital, from its table to its cohorts.", 0, 0)
    drawing.width = abreast * COLUMN + (abreast - 1) * GAP + 4
    top = 6.0
    for start in range(0, len(columns), ABREAST):
        line = columns[start : start + ABREAST]
        excluded = max(len(_excluded(rows)) for _, rows in line)
        ends = [
            _column(drawing, (2 + (COLUMN + GAP) * place, top), column, excluded) for place, column in enumerate(line)
        ]
        top = max(ends) + 24
    drawing.height = top - 20
    return Drawn(drawing.name, drawing.svg())


def _column(
    drawing: Drawing, corner: tuple[float, float], column: tuple[str, list[CohortRecord]], excluded: int
) -> float:
    """One hospital from top to bottom; ``excluded``: lines that the tallest box of its row needs. Returns the end."""
    site, rows = column
    x, y = corner
    y = _box(drawing, (x, y), [shortened(site, 20), _total(rows)], 2)
    y = _arrow(drawing, x, y)
    y = _box(drawing, (x, y), _excluded(rows), excluded, dashed=True)
    for row in rows:
        y = _arrow(drawing, x, y) if row is rows[0] else y + 8
        size = wording.counts(row.n, row.events)
        told = [wording.size(row.n, row.events)] if size != wording.DASH else _wrapped(row.reason or "not released")
        y = _box(drawing, (x, y), [wording.COHORTS[row.name], *told], 1 + len(told))
    return y


def _total(rows: Sequence[CohortRecord]) -> str:
    """Rows of the hospital's table, where everything in it may be told."""
    numbers = [row.n for row in rows] + [number for row in rows for number in row.excluded.values()]
    told = [number for number in numbers if number is not None]
    return f"in the table: {sum(told)}" if len(told) == len(numbers) else "in the table: not told"


def _excluded(rows: Sequence[CohortRecord]) -> list[str]:
    rules = {rule: number for row in rows for rule, number in row.excluded.items()}
    if not rules:
        return ["none left out"]
    texts = [f"{rule}: {wording.count(number)}" for rule, number in rules.items()]
    return ["Left out", *(line for text in texts for line in _wrapped(text))]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LETTERS)


def _box(drawing: Drawing, corner: tuple[float, float], lines: Sequence[str], room: int, dashed: bool = False) -> float:
    """A box with its lines, the first in bold; returns where it ends."""
    x, y = corner
    height = room * LINE + 2 * PAD
    drawing.box((x, y), (COLUMN, height), edge=Pen(INK, 0.6, opacity=0.35) if dashed else EDGE)
    for place, text in enumerate(lines):
        bold = place == 0 and not dashed
        drawing.words((x + 10, y + PAD + LINE * place + 11), text, Type(bold=bold, soft=dashed))
    return y + height


def _arrow(drawing: Drawing, x: float, y: float) -> float:
    middle = x + COLUMN / 2
    drawing.line([(middle, y), (middle, y + ARROW)], EDGE)
    drawing.area([(middle - 3.5, y + ARROW - 6), (middle + 3.5, y + ARROW - 6), (middle, y + ARROW)], Pen(INK))
    return y + ARROW
