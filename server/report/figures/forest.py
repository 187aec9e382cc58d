"""Forest plots: the primary model at each hospital, the random-effects summary, where another hospital may lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.report import wording
from server.report.fields import CohortName
from server.report.figures.drawing import BLUE, INK, Drawing, Pen, Scale, Type
from server.report.figures.models import shortened
from server.report.figures.plot import AXIS, GRID, ticks
from server.report.layout import WIDE, Drawn, Figure
from server.report.results import Meta
from server.report.view import Estimate, Place, View

WIDTH, LEFT, RIGHT, TOP, ROW = 712.0, 230.0, 518.0, 48.0, 24.0
METRICS = {"auc": 0.5, "calibration_slope": 1.0}  # what is drawn, and where no discrimination or perfection lies
UNSURE = 5  # with fewer hospitals a prediction interval is too narrow too often


@dataclass(frozen=True)
class Line:
    """A line of the plot: a heading (no figure), a hospital, or a summary."""

    name: str
    figure: Estimate | None = None
    cohort: CohortName | None = None
    summary: Meta | None = None
    size: str = ""


def forest_figures(view: View) -> tuple[Figure, ...]:
    """One figure for each metric that several hospitals have."""
    metrics = dict.fromkeys([view.measure, *METRICS])
    return tuple(figure for metric in metrics for figure in _forest(view, metric))


def _forest(view: View, metric: str) -> tuple[Figure, ...]:
    lines = lines_of(view, metric)
    told = [line.figure for line in lines if line.figure and line.figure.value is not None]
    if len(told) < 2:
        return ()
    name = wording.metric_name(metric)
    drawn_of = dict.fromkeys(line.cohort for line in lines if line.cohort)
    metas = [row for cohort in drawn_of for row in view.summaries(metric, cohort)]
    spread = " ".join(_spread(row, metric) for row in metas)
    n, counted = sum(f.n or 0 for f in told), [f.events for f in told if f.events is not None]
    events = sum(counted) if counted else None
    caption = (
        f"{view.primary}, {view.main.text}, on {wording.size(n, events)} in all. Squares: a hospital's own figure, "
        "their area by its patients; lines: 95 % intervals. "
        f"{spread or 'No summary over hospitals.'}"
    )
    drawn = _drawn(view, lines, (metric, f"Forest plot: {name} of {view.primary} at each hospital."))
    return (Figure(f"forest-{metric}".replace("_", "-"), f"{name} by hospital", (drawn,), caption, form=WIDE),)


def lines_of(view: View, metric: str) -> list[Line]:
    """Headings, hospitals and summaries from top to bottom."""
    lines: list[Line] = []
    for cohort, title in wording.COHORTS.items():
        places = [Place(view.primary, fold, cohort, site) for fold, of, site in view.hospitals() if of == cohort]
        figures = [(place.site or "", view.figure(view.main, place, metric)) for place in places]
        known = [(site, figure) for site, figure in figures if figure.value is not None or figure.reason != "not run"]
        if not known or cohort == "train":
            continue
        lines += [Line(f"{title}, left out in turn" if view.left_out else title)]
        lines += [Line(site, figure, cohort, size=view.counts(figure.n, figure.events)) for site, figure in known]
        lines += [Line("Summary", summary=row) for row in view.summaries(metric, cohort) if row.estimate is not None]
    return lines


def _spread(row: Meta, metric: str) -> str:
    if row.estimate is None:
        return f"{wording.COHORTS[row.cohort]}: no summary, as hospitals with this figure are too few ({row.k})."
    parts = [f"{wording.COHORTS[row.cohort]}: random effects over {row.k} hospitals"]
    if row.tau2 is not None:
        ends = "" if row.tau2_low is None or row.tau2_high is None else f" ({row.tau2_low:.3f}–{row.tau2_high:.3f})"
        parts.append(f"τ² {row.tau2:.3f}{ends}")
    if row.i2 is not None:
        parts.append(f"I² {100 * row.i2:.0f} %")
    text = ", ".join(parts) + (f" ({row.method})" if row.method else "") + "."
    if row.prediction_low is not None:
        note = row.prediction_note or ("unreliable with so few hospitals" if row.k < UNSURE else "")
        unsure = f"; {note}" if note else ""
        ends = wording.interval(row.prediction_low, row.prediction_high or row.prediction_low, metric)
        text += (
            f" Grey bar, cut off where it leaves the axis: where another hospital is expected, {ends} (95 %{unsure})."
        )
    return text


def _drawn(view: View, lines: Sequence[Line], named: tuple[str, str]) -> Drawn:
    metric, title = named
    bottom = TOP + ROW * len(lines) + 4
    drawing = Drawing(f"forest-{metric}".replace("_", "-"), title, WIDTH, bottom + 42)
    scale = _scale(lines, metric)
    drawing.words((8, 20), "Hospital", Type(bold=True))
    drawing.words((LEFT - 24, 20), view.size_heading, Type("end", bold=True))
    drawing.words((RIGHT + 22, 20), "Estimate (95 % interval)", Type(bold=True))
    drawing.line([(8, 30), (WIDTH - 8, 30)], AXIS)
    for value in ticks(scale.low, scale.high, 6):
        drawing.line([(scale(value), 30), (scale(value), bottom)], GRID)
        drawing.words((scale(value), bottom + 17), wording.tick(value), Type("middle", soft=True))
    drawing.line([(LEFT, bottom), (RIGHT, bottom)], AXIS)
    reference = METRICS.get(metric)
    if reference is not None and scale.low <= reference <= scale.high:
        drawing.line([(scale(reference), 30), (scale(reference), bottom)], Pen(INK, 1, "2 3", 0.7))
    drawing.words(((LEFT + RIGHT) / 2, bottom + 34), wording.metric_name(metric), Type("middle"))
    most = max([line.figure.n or 0 for line in lines if line.figure] or [1]) or 1
    for place, line in enumerate(lines):
        y = TOP + ROW * place + 8
        if line.summary:
            _summary(drawing, scale, line.summary, y)
        elif line.figure:
            _hospital(drawing, scale, line, (y, metric, most))
        else:
            drawing.words((8, y + 4), line.name, Type(bold=True))
    return Drawn(drawing.name, drawing.svg())


def _scale(lines: Sequence[Line], metric: str) -> Scale:
    figures = [line.figure for line in lines if line.figure]
    ends = [value for figure in figures for value in (figure.value, figure.low, figure.high) if value is not None]
    rows = [line.summary for line in lines if line.summary]
    ends += [value for row in rows for value in (row.estimate, row.low, row.high) if value is not None]
    span = max(ends) - min(ends)
    beyond = [value for row in rows for value in (row.prediction_low, row.prediction_high) if value is not None]
    ends += [min(max(value, min(ends) - span / 4), max(ends) + span / 4) for value in beyond]
    ends += [METRICS[metric]] if metric in METRICS and metric != "auc" else []
    ends += [1.0] if metric == "auc" else []
    margin = 0.04 * (max(ends) - min(ends) or 1)
    return Scale(min(ends) - margin, max(ends) + (0 if metric == "auc" else margin), LEFT, RIGHT)


def _hospital(drawing: Drawing, scale: Scale, line: Line, where: tuple[float, str, int]) -> None:
    y, metric, most = where
    figure = line.figure
    assert figure is not None
    drawing.words((20, y + 4), shortened(line.name, 24))
    drawing.words((LEFT - 24, y + 4), line.size, Type("end"))
    if figure.value is None:
        drawing.words((RIGHT + 22, y + 4), f"{wording.DASH} {shortened(figure.reason or '', 26)}", Type(soft=True))
        return
    if figure.low is not None and figure.high is not None:
        drawing.line([(scale(figure.low), y), (scale(figure.high), y)], Pen(INK, 1.3))
    side = 5 + 9 * ((figure.n or 0) / most) ** 0.5
    drawing.box((scale(figure.value) - side / 2, y - side / 2), (side, side), Pen(BLUE))
    drawing.words((RIGHT + 22, y + 4), wording.with_interval(figure.value, figure.low, figure.high, metric))


def _summary(drawing: Drawing, scale: Scale, row: Meta, y: float) -> None:
    drawing.words((20, y + 4), f"Summary, {row.k} hospitals", Type(bold=True))
    assert row.estimate is not None
    if row.prediction_low is not None and row.prediction_high is not None:
        left, right = max(scale(row.prediction_low), LEFT), min(scale(row.prediction_high), RIGHT)
        drawing.box((left, y - 2.5), (right - left, 5), Pen(INK, opacity=0.3))
    if row.low is not None and row.high is not None:
        middle = scale(row.estimate)
        corners = [(scale(row.low), y), (middle, y - 7), (scale(row.high), y), (middle, y + 7)]
        drawing.area(corners, Pen(INK))
    text = wording.with_interval(row.estimate, row.low, row.high, row.metric)
    drawing.words((RIGHT + 22, y + 4), text, Type(bold=True))
