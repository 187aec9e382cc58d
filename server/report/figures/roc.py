"""ROC panels from released tallies: one a cohort, all models, and the primary model's frozen threshold."""

from collections.abc import Sequence

import numpy as np

from server.report import wording
from server.report.curves import Curve
from server.report.figures.drawing import INK, Drawing, Pen, Scale, Type
from server.report.figures.models import ROW, legend, pens, shortened
from server.report.figures.plot import CHANCE, Plot
from server.report.layout import Drawn, Figure
from server.report.view import Panel, View

WIDTH, SIDE, LEFT, TOP = 340.0, 280.0, 46.0, 46.0
TICKS = (0, 0.25, 0.5, 0.75, 1)
APART = 0.05  # a curve whose area is further from the model's AUC than this shows its bins, and not the model
UNDRAWN = "no curve: too few bins"


def roc_figure(view: View) -> tuple[Figure, ...]:
    """A panel for each cohort with curves; none where nobody released a tally."""
    drawn = [(panel, curves_of(view, panel)) for panel in view.panels()]
    panels = tuple(_panel(view, panel, curves) for panel, curves in drawn if curves)
    if not panels:
        return ()
    every = [curve for _, curves in drawn for curve in curves]
    sizes = "; ".join(f"{panel.title}: {sized(view, panel)}" for panel, curves in drawn if curves)
    caption = (
        f"{view.main.text.capitalize()}. {sizes}. Drawn from tallies of scores, not from patients ({binned(every)}): a "
        "curve's corners are bins. Bold: the primary model; its dot is the threshold that was frozen before "
        "validation, with 95 % intervals of sensitivity and specificity."
    )
    if any(fewer(view, panel, curve) for panel, curves in drawn for curve in curves):
        caption += " Hospitals that kept fewer than three bins of a class are not in the curves."
    if not all(shows(view, panel, curve) for panel, curves in drawn for curve in curves):
        caption += f" A curve whose area is more than {APART} from the AUC is not drawn: hospitals kept too few bins."
    return (Figure("roc", "Receiver operating characteristic", panels, caption),)


def curves_of(view: View, panel: Panel) -> list[Curve]:
    """A panel's curves, one a model; none where not one of them shows its model."""
    curves = view.chosen(view.results.curves, panel)
    return curves if any(shows(view, panel, curve) for curve in curves) else []


def shows(view: View, panel: Panel, curve: Curve) -> bool:
    """Whether a curve has bins enough to show the AUC that the hospitals computed from their patients' own scores."""
    value = view.main_figure(panel, "auc", curve.model).value
    return value is None or abs(float(np.trapezoid(curve.y, curve.x)) - value) <= APART


def fewer(view: View, panel: Panel, curve: Curve) -> bool:
    """Whether a curve is of fewer patients than the AUC beside it."""
    n = view.main_figure(panel, "auc", curve.model).n
    return n is not None and curve.n is not None and curve.n < n


def sized(view: View, panel: Panel) -> str:
    """ "n 114, 49 events" of the primary model on a panel."""
    figure = view.main_figure(panel, view.measure)
    return wording.size(figure.n, figure.events)


def binned(curves: Sequence[Curve]) -> str:
    """How coarse the tallies behind the curves are."""
    few, many = min(curve.bins for curve in curves), max(curve.bins for curve in curves)
    return f"binned, {few} bins" if few == many else f"binned, {few}–{many} bins"


def _panel(view: View, panel: Panel, curves: Sequence[Curve]) -> Drawn:
    title = f"ROC curves. {panel.title}, {sized(view, panel)}; {binned(curves)}."
    bottom = TOP + SIDE + 62
    drawing = Drawing(f"roc-{panel.key}", title, WIDTH, bottom + ROW * len(curves))
    drawing.words((14, 16), panel.title, Type(bold=True, size=12))
    plot = Plot.on(drawing, Scale(0, 1, LEFT, LEFT + SIDE), Scale(0, 1, TOP + SIDE, TOP))
    plot.axes((TICKS, TICKS), ("1 − specificity", "Sensitivity"))
    plot.curve((0, 1), (0, 1), CHANCE)
    looks = pens(view)
    shown = {curve.model for curve in curves if shows(view, panel, curve)}
    for curve in sorted(curves, key=lambda row: row.model == view.primary):
        if curve.model in shown:
            plot.curve(curve.x, curve.y, looks[curve.model])
    _threshold(view, panel, plot)
    drawing.words((44, bottom - 8), f"AUC, model ({sized(view, panel)})", Type(soft=True))
    names = [_named(view, panel, curve.model, UNDRAWN * (curve.model not in shown)) for curve in curves]
    rows = zip((looks[curve.model] for curve in curves), names, (c.model == view.primary for c in curves), strict=True)
    legend(drawing, bottom + 8, list(rows))
    return Drawn(drawing.name, drawing.svg())


def _named(view: View, panel: Panel, model: str, note: str) -> str:
    value = view.main_figure(panel, "auc", model).value
    shown = wording.DASH if value is None else wording.number(value, "auc")
    return f"{shown}  {shortened(model, 24 if note else 44)}{note and f' ({note})'}"


def _threshold(view: View, panel: Panel, plot: Plot) -> None:
    """The operating point of the primary model with its intervals as a cross."""
    right, wrong = view.main_figure(panel, "sensitivity"), view.main_figure(panel, "specificity")
    if right.value is None or wrong.value is None:
        return
    x, y = 1 - wrong.value, right.value
    if right.low is not None and right.high is not None:
        plot.curve((x, x), (right.low, right.high), Pen(INK, 1))
    if wrong.low is not None and wrong.high is not None:
        plot.curve((1 - wrong.high, 1 - wrong.low), (y, y), Pen(INK, 1))
    plot.drawing.dot((plot.x(x), plot.y(y)), 3.6)
