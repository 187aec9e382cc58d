"""The figure of ``simulations price``: AUC against epsilon, a panel a cohort, mean and range over draws."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from server.report.figures.drawing import COLOURS
from simulations.plot_style import STYLE
from simulations.price.measure import Price


def price_figure(found: Sequence[Price]) -> str:
    """SVG: epsilon on a logarithmic axis, the figure without privacy as a dashed line; the same bytes for the same."""
    panels = sorted({(price.fold, price.cohort) for price in found})
    with style.context(["default", STYLE]):
        canvas = Canvas(figsize=(3.2 * len(panels), 3.0), layout="constrained")
        for place, (panel, axes) in enumerate(
            zip(panels, np.atleast_1d(canvas.subplots(1, len(panels), sharey=True)), strict=True)
        ):
            prices = [price for price in found if (price.fold, price.cohort) == panel]
            _draw(axes, prices, COLOURS[place % len(COLOURS)])
            fold, cohort = panel
            if place == 0:
                axes.set_ylabel("AUC (mean, and range over draws)")
            axes.set_title(cohort if fold == "main" else f"{cohort}, {fold}", loc="left", fontsize=9.5)
        stream = io.StringIO()
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Title": "AUC against epsilon"})
    return stream.getvalue()


def _draw(axes: Axes, prices: Sequence[Price], colour: str) -> None:
    private = [price for price in prices if price.epsilon is not None]
    epsilons = [price.epsilon or 0.0 for price in private]
    means = [float(np.mean(price.aucs)) for price in private]
    axes.fill_between(
        epsilons, [min(p.aucs) for p in private], [max(p.aucs) for p in private], color=colour, alpha=0.15, linewidth=0
    )
    axes.plot(epsilons, means, color=colour, marker="o", markersize=3.5)
    for price in prices:
        if price.epsilon is None:
            axes.axhline(float(np.mean(price.aucs)), color="#555555", linewidth=0.8, linestyle=(0, (5, 3)))
    axes.set_xscale("log")
    axes.set_xticks(epsilons, [f"{epsilon:g}" for epsilon in epsilons])
    axes.minorticks_off()
    axes.set_xlabel("ε a patient, a run")
