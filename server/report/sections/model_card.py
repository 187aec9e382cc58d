"""The model card: what the primary model is for, what it learnt from, how well it does, where to stop trusting it."""

from server.report import wording
from server.report.layout import Section
from server.report.sections.limits import limit_points
from server.report.sections.models import risk_threshold
from server.report.sections.summary import cohort_lines, design, main_lines
from server.report.view import Place, View

ELSEWHERE = {"Data", "Limits"}  # parts of the card that the page has told already


def model_card(view: View) -> Section:
    """The card as a section of the page."""
    terms = tuple((term, lines) for term, lines in card_terms(view) if lines and term not in ELSEWHERE)
    text = "Travels with the weights as model_card.md; its data and limits are those of the sections above."
    return Section("model-card", "Model card", terms=terms, paragraphs=(text,))


def card_terms(view: View) -> list[tuple[str, tuple[str, ...]]]:
    """Headings and sentences of the card, the same on the page and in the file beside the weights."""
    study = view.results.study
    predicted = f" It predicts: {study.outcome}." if study.outcome else ""
    use = f"Research on federated training, in the population of this study.{predicted}"
    return [
        ("Privacy", (wording.privacy_line(view.results),)),
        ("Intended use", (f"{use} Not for clinical use: not to diagnose, to triage or to choose a treatment.",)),
        ("Data", (design(view), *cohort_lines(view))),
        ("Performance", main_lines(view, view.main)),
        ("By hospital", _by_hospital(view)),
        ("Threshold", _threshold(view)),
        ("Limits", limit_points(view)),
        ("Version", (f"Study {study.name}, digest {study.digest}, seed {view.results.seed}, {view.results.engine}.",)),
    ]


def _by_hospital(view: View) -> tuple[str, ...]:
    lines = []
    for fold, cohort, site in view.hospitals():
        figure = view.figure(view.main, Place(view.primary, fold, cohort, site))
        if figure.value is not None and cohort != "train":
            shown = wording.with_interval(figure.value, figure.low, figure.high, view.measure)
            size = wording.size(figure.n, figure.events)
            name = wording.metric_name(view.measure)
            lines.append(f"{site}, {wording.COHORTS[cohort].lower()}: {name} {shown}, {size}.")
    return tuple(lines)


def _threshold(view: View) -> tuple[str, ...]:
    cuts = [(panel, risk_threshold(view, panel, view.primary)) for panel in view.panels()]
    texts = [f"{wording.number(cut.value, 'sensitivity')}" for _, cut in cuts if cut.value is not None]
    texts = list(dict.fromkeys(texts))
    return (f"Risk of {wording.places(texts)} or more is called positive; frozen before validation.",) if texts else ()
