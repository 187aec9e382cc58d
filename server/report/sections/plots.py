"""The sections that are a figure and a line of text: discrimination, calibration, clinical utility, survival."""

from server.report import wording
from server.report.figures.calibration import calibration_figure
from server.report.figures.decision import decision_figure
from server.report.figures.roc import curves_of, roc_figure
from server.report.figures.survival import survival_figure
from server.report.layout import Section
from server.report.view import Estimate, Panel, View


def discrimination(view: View) -> Section:
    """ROC curves, and for which cohorts there are none beside those of others."""
    figures = roc_figure(view)
    told = [panel for panel in view.panels() if view.main_figure(panel, "auc").value is not None]
    missing = [panel.title for panel in told if not curves_of(view, panel)]
    text = "no ROC curve, as hospitals kept too few bins of scores"
    lines = tuple(f"{title}: {text}." for title in missing) if figures else ()
    return Section("roc", "Discrimination", paragraphs=lines, figures=figures)


def calibration(view: View) -> Section:
    """Calibration curves with histograms of risk."""
    return Section("calibration", "Calibration", figures=calibration_figure(view))


def utility(view: View) -> Section:
    """Decision curves."""
    return Section("utility", "Clinical utility", figures=decision_figure(view))


def survival(view: View) -> Section:
    """Survival by risk group, with a sentence on how well the model orders patients."""
    figures = survival_figure(view)
    if view.measure == "c_index":  # then it is the outcome's own, not a second endpoint's
        return Section("survival", "Survival", figures=figures)
    followed = any(row.metric == "c_index" for row in view.results.metrics)
    told = [(panel, view.main_figure(panel, "c_index")) for panel in view.panels() if followed]
    shown = [pair for pair in told if (pair[1].reason != wording.NOT_RUN if pair[1].value is None else figures)]
    lines = tuple(concordance(panel, figure) for panel, figure in shown)
    return Section("survival", "Survival", paragraphs=lines, figures=figures)


def concordance(panel: Panel, figure: Estimate) -> str:
    """What a C-index says, and that a weak one is weak; or why there is none."""
    if figure.value is None:
        return f"{panel.title}: survival by risk group is not told: {figure.reason}."
    shown = wording.with_interval(figure.value, figure.low, figure.high, "c_index")
    text = f"{panel.title}: C-index {shown} ({wording.size(figure.n, figure.events)})"
    if figure.value < wording.WEAK_CONCORDANCE:
        text += ": weak. The model hardly tells who has the event earlier"
    if figure.low is not None and figure.low <= 0.5:
        text += "; its interval reaches 0.5: no evidence that the model orders patients better than chance does"
    return f"{text}."
