"""The cross-site matrix: where the primary model was trained (rows) by where it was evaluated (columns)."""

import textwrap
from collections.abc import Sequence

from server.report import wording
from server.report.figures.drawing import BLUE, INK, Drawing, Pen, Type
from server.report.figures.models import shortened
from server.report.layout import WIDE, Drawn, Figure
from server.report.results import CrossSite
from server.report.view import View, unique

LABEL, CELL_WIDTH, CELL_HEIGHT, TOP = 190.0, 108.0, 52.0, 40.0
ARMS = ("alone", "federated", "pooled")  # from top to bottom, first those without privacy
FAINTEST, CHANCE = 0.06, 0.5
LETTERS = 19  # a line of a cell holds about so many in small type

Origin = tuple[str, bool, str]  # arm, private, trained at


def matrix_figure(view: View) -> tuple[Figure, ...]:
    """The matrix, with the lowest cell of the main arm's rows boxed; none where nothing was evaluated."""
    rows = [row for row in view.results.cross_site if row.metric == view.measure]
    if not rows:
        return ()
    name = wording.metric_name(view.measure)
    caption = (
        f"{name} of {view.primary}, trained where the row says and evaluated at the column's hospital, on patients "
        "that it was not trained on. In a cell: the figure, its 95 % interval, and the patients that it is of; the "
        "darker, the higher above chance. Boxed: the lowest of the federated arm."
    )
    title = f"Cross-site matrix: {name} of {view.primary} by where it was trained and evaluated."
    drawn = _drawn(view, rows, title)
    return (Figure("cross-site", "Across hospitals", (drawn,), caption, form=WIDE),)


def _drawn(view: View, rows: Sequence[CrossSite], title: str) -> Drawn:
    sites = unique(row.site for row in rows)
    found_at = {(row.arm, row.private, row.trained_at) for row in rows}
    origins: list[Origin] = sorted(found_at, key=lambda origin: (origin[1], ARMS.index(origin[0]), origin[2]))
    found: dict[tuple[str, bool, str, str], CrossSite] = {
        (row.arm, row.private, row.trained_at, row.site): row for row in rows
    }
    height = TOP + CELL_HEIGHT * len(origins) + 8
    drawing = Drawing("cross-site", title, LABEL + CELL_WIDTH * len(sites) + 8, height)
    main = [r for r in rows if (r.arm, r.private) == (view.main.arm, view.main.private) and r.estimate is not None]
    worst = min(main, key=lambda row: row.estimate or 0.0) if len(main) > 1 else None
    drawing.words((8, 24), "Trained at", Type(bold=True))
    for place, site in enumerate(sites):
        centre = LABEL + CELL_WIDTH * (place + 0.5)
        drawing.words((centre, 24), shortened(site, 15), Type("middle", bold=True))
    for place, origin in enumerate(origins):
        y = TOP + CELL_HEIGHT * place
        arm, private, trained_at = origin
        bold = (arm, private) == (view.main.arm, view.main.private)
        drawing.words((8, y + 23), shortened(trained_at if arm == "alone" else arm, 26), Type(bold=bold))
        drawing.words((8, y + 38), origin_words(arm, private, view.left_out), Type(soft=True))
        for column, site in enumerate(sites):
            row = found.get((*origin, site))
            _cell(drawing, row, (LABEL + CELL_WIDTH * column, y), row is not None and row is worst)
    return Drawn(drawing.name, drawing.svg())


def origin_words(arm: str, private: bool, left_out: bool) -> str:
    """In small type under where a model was trained."""
    where = "alone, " if arm == "alone" else "at all others, " if left_out else ""
    return where + wording.PROTECTION[private]


def _cell(drawing: Drawing, row: CrossSite | None, corner: tuple[float, float], worst: bool) -> None:
    x, y = corner
    inner = (x + 1.5, y + 1.5), (CELL_WIDTH - 3, CELL_HEIGHT - 3)
    centre = x + CELL_WIDTH / 2
    if row is None or row.estimate is None:
        drawing.box(*inner, edge=Pen(INK, 0.6, opacity=0.2))
        drawing.words((centre, y + 18), wording.DASH, Type("middle", soft=True))
        told = wording.NOT_RUN if row is None else row.reason or ""
        for place, line in enumerate(textwrap.wrap(told, LETTERS, max_lines=2, placeholder="…")):
            drawing.words((centre, y + 32 + 12 * place), line, Type("middle", soft=True, size=10))
        return
    above = max(row.estimate - CHANCE, 0) / (1 - CHANCE)
    drawing.box(*inner, Pen(BLUE, opacity=round(FAINTEST + 0.4 * above**2, 3)), Pen(INK, 1.6) if worst else None)
    own = ", own" if row.trained_at == row.site else ""
    bold = Type("middle", bold=True, size=12.5)
    drawing.words((centre, y + 19), wording.number(row.estimate, row.metric), bold)
    if row.low is not None and row.high is not None:
        drawing.words((centre, y + 32), wording.interval(row.low, row.high, row.metric), Type("middle", size=10))
    if row.n is not None:
        drawing.words((centre, y + 44), f"n {row.n}{own}", Type("middle", soft=True, size=10))
