"""The findings as a figure: bounds of epsilon beside what is declared, membership as ROC, inversion as cosines."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from simulations.audit.findings import Finding
from simulations.plot_style import STYLE

WITH, WITHOUT, VIOLATED = "#0072B2", "#D55E00", "#C00000"
GREY = "#999999"
NAMES = {True: "with privacy", False: "without"}


def write_figure(findings: Sequence[Finding], folder: Path) -> None:
    """``figures/audit.svg``, the same bytes for the same findings."""
    (folder / "figures").mkdir(exist_ok=True)
    with style.context(["default", STYLE]):
        drawn(findings).savefig(folder / "figures" / "audit.svg", format="svg", metadata={"Date": None})


def drawn(findings: Sequence[Finding]) -> Canvas:
    """Three panels; a panel without findings says so."""
    canvas = Canvas(figsize=(11.5, 3.9), layout="constrained")
    left, middle, right = canvas.subplots(1, 3, width_ratios=(1.25, 1, 1))
    _epsilon(left, [finding for finding in findings if finding.measure == "epsilon"])
    _roc(middle, [finding for finding in findings if finding.measure == "auc"])
    _cosines(right, [finding for finding in findings if finding.measure == "cosine"])
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    return canvas


def _colour(finding: Finding) -> str:
    return VIOLATED if finding.verdict == "violated" else WITH if finding.private else WITHOUT


def _epsilon(axes: Axes, findings: Sequence[Finding]) -> None:
    for row, finding in enumerate(findings):
        axes.plot([0, finding.ceiling or 0], [row, row], color="#dddddd", linewidth=5, solid_capstyle="butt", zorder=1)
        axes.plot(finding.value, row, "o", color=_colour(finding), markersize=6, zorder=3)
        if finding.declared is not None:
            axes.plot(finding.declared, row, "|", color="black", markersize=13, markeredgewidth=1.6, zorder=2)
    axes.set_xscale("symlog", linthresh=1, linscale=0.7)
    axes.set_xlim(-0.05, 100)
    axes.set_xticks([0, 0.5, 1, 3, 10, 30, 100], ["0", "0.5", "1", "3", "10", "30", "100"])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(findings)), [f"{f.attack}\n{f.setting}" for f in findings], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("ε: • shown, | declared, grey: could be shown")
    axes.set_title("Canaries", loc="left", fontsize=9.5)


def _roc(axes: Axes, findings: Sequence[Finding]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=(0, (2, 3)))
    for finding in findings:
        x, y = zip(*finding.curve, strict=True)
        label = f"{finding.value:.2f}  {NAMES[finding.private]}"
        axes.plot(x, y, color=_colour(finding), linewidth=1.6, label=label)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("fresh patients called members")
    axes.set_ylabel("members found")
    axes.set_anchor("N")
    axes.set_title("Membership in the released model", loc="left", fontsize=9.5)
    if findings:
        axes.legend(title="AUC", frameon=False, loc="lower right", alignment="left")


def _cosines(axes: Axes, findings: Sequence[Finding]) -> None:
    for row, finding in enumerate(findings):
        colour = _colour(finding)
        axes.plot([finding.low or 0, finding.high or 0], [row, row], color=colour, linewidth=1.2)
        axes.plot(finding.value, row, "o", color=colour, markersize=6)
    axes.axvline(0, color=GREY, linewidth=0.6, linestyle=(0, (2, 3)))
    axes.set_xlim(-1.05, 1.05)
    rows = [f"update {f.setting.partition(', ')[2]}\n{NAMES[f.private]}" for f in findings]
    axes.set_yticks(range(len(findings)), rows, fontsize=7)
    axes.margins(y=0.15)
    axes.invert_yaxis()
    axes.set_xlabel("cosine with the patient's own features")
    axes.set_title("Gradient inversion", loc="left", fontsize=9.5)
