"""Decision curves: net benefit of each model by threshold of risk, beside treating everybody and nobody."""

from collections.abc import Sequence

from server.report import wording
from server.report.curves import Decision
from server.report.figures.drawing import BLUE, INK, Drawing, Pen, Scale, Type
from server.report.figures.models import ROW, legend, pens, shortened
from server.report.figures.plot import Plot, ticks
from server.report.layout import Drawn, Figure
from server.report.view import Panel, View

WIDTH, WIDE, HIGH, LEFT, TOP = 340.0, 280.0, 220.0, 46.0, 46.0
ALL, NONE = Pen(INK, 1, "5 3", 0.6), Pen(INK, 1, "", 0.6)


def decision_figure(view: View) -> tuple[Figure, ...]:
    """A panel a cohort, all models that have a curve there."""
    drawn = [(panel, view.chosen(view.results.decisions, panel)) for panel in view.panels()]
    drawn = [(panel, rows) for panel, rows in drawn if rows]
    if not drawn:
        return ()
    sizes = "; ".join(f"{panel.title}: {wording.size(rows[-1].n, rows[-1].events)}" for panel, rows in drawn)
    declared = view.results.study.decision_range
    shaded = f" Shaded: the declared range, {declared[0]:g} to {declared[1]:g}." if declared else ""
    caption = (
        f"{view.main.text.capitalize()}. {sizes}. Net benefit: true positives less false positives times the odds of "
        f"the threshold, per patient.{shaded} Bold: the primary model, with its 95 % band where it has one; outside "
        "of the range that a clinician would use, a curve says nothing."
    )
    return (Figure("decision", "Decision curves", tuple(_panel(view, panel, rows) for panel, rows in drawn), caption),)


def _panel(view: View, panel: Panel, rows: Sequence[Decision]) -> Drawn:
    heading = f"{panel.title}, {wording.size(rows[-1].n, rows[-1].events)}"
    bottom = TOP + HIGH + 56
    drawing = Drawing(f"decision-{panel.key}", f"Decision curves. {heading}.", WIDTH, bottom + ROW * (len(rows) + 2))
    drawing.words((14, 16), heading, Type(bold=True, size=12))
    start, end = min(row.threshold[0] for row in rows), max(row.threshold[-1] for row in rows)
    top = max(value for row in rows for value in (*row.benefit, *row.treat_all, *row.high))
    top = max(top * 1.06, 0.02)
    x, y = Scale(start, end, LEFT, LEFT + WIDE), Scale(-top / 5, top, TOP + HIGH, TOP)
    plot = Plot.on(drawing, x, y)
    if declared := view.results.study.decision_range:
        left, right = (x(min(max(value, start), end)) for value in declared)
        drawing.box((left, TOP), (right - left, HIGH), Pen(INK, opacity=0.07))
    plot.axes((ticks(start, end), ticks(y.low, y.high)), ("Threshold of risk", "Net benefit"))
    looks = pens(view)
    plot.curve((start, end), (0, 0), NONE)
    plot.curve(rows[-1].threshold, rows[-1].treat_all, ALL)
    for row in rows:
        if row.model == view.primary:
            plot.band(row.threshold, row.low, row.high, Pen(BLUE, opacity=0.15))
        plot.curve(row.threshold, row.benefit, looks[row.model])
    named = [(looks[row.model], shortened(row.model, 50), row.model == view.primary) for row in rows]
    legend(drawing, bottom, [*named, (ALL, "treat all", False), (NONE, "treat none", False)])
    return Drawn(drawing.name, drawing.svg())
