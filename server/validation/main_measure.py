"""The figure that a study's main result is told in, by kind of outcome, where it is not one of a single question."""

from collections.abc import Mapping, Sequence

from server.validation.summary import Estimate
from shared.outcomes.base import OutcomeSection
from shared.wire import SiteFigures

MEASURES = {  # binary and early-warning outcomes: the AUC
    **dict.fromkeys(("multiclass", "ordinal", "multilabel"), "auc_macro"),
    "survival": "c_index",
    **dict.fromkeys(("regression", "forecast"), "r2_mean"),
}


def main_measure(outcome: OutcomeSection) -> str:
    """The metric that an oracle's number is of, and in which the arms stand side by side."""
    return MEASURES.get(str(getattr(outcome, "kind", "")), "auc")


def mean_auc(questions: Mapping[str, Estimate]) -> Estimate:
    """The mean of the questions' AUC.

    Its interval is the mean of theirs, as if all rose and fell together: too wide rather than too narrow, since how
    they hang together stays at the hospitals.
    """
    if reasons := sorted({found.reason for found in questions.values() if found.value is None}):
        return Estimate(None, reason=", ".join(reasons))
    values, lows, highs = zip(*((own.value or 0.0, own.low, own.high) for own in questions.values()), strict=True)
    value = sum(values) / len(values)
    if None in lows:
        return Estimate(value, method="mean over the questions")
    low, high = (sum(ends) / len(ends) for ends in (lows, highs))
    return Estimate(value, low, high, "mean over the questions, and of their intervals: conservative")


def mean_r2(figures: Sequence[SiteFigures]) -> Estimate | None:
    """R squared within hospitals, the mean over horizons and, by units, over hospitals; None of another outcome."""
    told = {
        place: [value for name, value in own.measures.items() if name.partition(".")[0] == "r2"]
        for place, own in enumerate(figures)
    }
    parts = [(figures[place].n or 0, sum(values) / len(values)) for place, values in told.items() if values]
    total = sum(n for n, _ in parts)
    if not total:
        return None
    value = sum(n * part for n, part in parts) / total
    return Estimate(value, method="within hospitals, mean over horizons; no interval")
