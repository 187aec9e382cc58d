"""ROC panels as SVG from released tallies: one a cohort, all models, the same bytes for the same results."""

import html
import io
import re
from collections.abc import Sequence

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from server.report import wording
from server.report.curves import Curve
from server.report.fields import CohortName
from server.report.layout import Figure
from server.report.view import Place, View

# Okabe and Ito's palette without its yellow, which is too faint for a line on white; black is the primary model's.
PRIMARY = "#000000"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
WIDTH, SIDE, LEFT, TOP = 3.6, 3.0, 0.54, 0.3  # inches: panel, square of the axes, margins
LINE = 0.165  # inches a line of the legend
STYLE: dict[str, object] = {
    "svg.hashsalt": "medley",  # without it identifiers are random
    "svg.fonttype": "none",  # text stays text: searchable, and set in the reader's own font
    "font.size": 8.5,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def roc_figures(view: View) -> tuple[Figure, ...]:
    """A panel for each cohort with curves; in leave-one-site-out one for each left-out hospital."""
    panels: list[tuple[str, CohortName, str]] = (
        [(fold, "external", f"{fold} left out") for fold in view.folds]
        if view.left_out
        else [(view.folds[0], cohort, title) for cohort, title in wording.COHORTS.items()]
    )
    drawn = [(panel, view.curves(panel[0], panel[1])) for panel in panels]
    return tuple(_panel(view, *panel, curves) for panel, curves in drawn if curves)


def _panel(view: View, fold: str, cohort: CohortName, title: str, curves: Sequence[Curve]) -> Figure:
    name = f"roc-{cohort}-{fold}" if view.left_out else f"roc-{cohort}"
    size = view.figure(view.main, Place(view.primary, fold, cohort))
    counted = f"n {wording.count(size.n)}, events {wording.count(size.events)}"
    caption = f"{title} ({counted}): {view.main.text}; {binned(curves)}."
    described = f"ROC curves. {caption} The primary model, {view.primary}, is the bold black line."
    aucs = [_auc(view, Place(curve.model, fold, cohort)) for curve in curves]
    with style.context(["default", STYLE]):  # whatever the machine's matplotlibrc says
        below = 0.6 + LINE * (len(curves) + 1)
        height = TOP + SIDE + below
        canvas = Canvas(figsize=(WIDTH, height))
        axes = canvas.add_axes((LEFT / WIDTH, below / height, SIDE / WIDTH, SIDE / height))
        _draw(axes, curves, aucs, view.primary)
        axes.set_title(f"{title}, {counted}", loc="left", fontsize=9.5, pad=7)
        stream = io.StringIO()
        canvas.savefig(stream, format="svg", metadata={"Date": None})
    return Figure(name, _embeddable(stream.getvalue(), name, described), caption)


def binned(curves: Sequence[Curve]) -> str:
    """How coarse the tallies behind the curves are."""
    few, many = min(curve.bins for curve in curves), max(curve.bins for curve in curves)
    return f"binned, {few} bins" if few == many else f"binned, {few}–{many} bins"


def _auc(view: View, place: Place) -> str:
    value = view.figure(view.main, place).value
    return wording.DASH if value is None else wording.number(value, "auc")


def _draw(axes: Axes, curves: Sequence[Curve], aucs: Sequence[str], primary: str) -> None:
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.6, linestyle=(0, (2, 3)))
    others = 0
    for curve, auc in zip(curves, aucs, strict=True):
        label = f"{auc}  {curve.model}"
        if curve.model == primary:
            axes.plot(curve.x, curve.y, color=PRIMARY, linewidth=2.2, label=label, zorder=5)
            continue
        colour = COLOURS[others % len(COLOURS)]
        dashes = DASHES[(others // len(COLOURS) + others) % len(DASHES)]
        axes.plot(curve.x, curve.y, color=colour, linewidth=1.1, linestyle=dashes, label=label)
        others += 1
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity", labelpad=3)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(
        title=f"AUC, model ({binned(curves)})", loc="upper left", bbox_to_anchor=(-LEFT / SIDE, -0.15), frameon=False,
        handlelength=2.6, borderaxespad=0, alignment="left", labelspacing=0.35,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_fontweight("bold" if text.get_text().endswith(f"  {primary}") else "normal")


def _embeddable(svg: str, name: str, described: str) -> str:
    """Make the drawing fit into a page: no prolog, no outside address, identifiers of its own, a title."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "").replace("xlink:href", "href")
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    opening = f'<svg role="img" aria-labelledby="{name}-title"'
    svg = svg.replace("<svg", opening, 1)
    return svg.replace(">", f'>\n <title id="{name}-title">{html.escape(described)}</title>', 1)
