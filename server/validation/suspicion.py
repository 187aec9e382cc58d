"""Models that separate the outcome too well to be true: their inputs are named, so that somebody looks at them.

From released figures only; what a single column does is told by the hospital's own check, and stays there.
"""

from collections.abc import Iterable, Iterator

from server.report.results import Metric
from shared.cohorts import ROLES
from shared.study import Study

SUSPICIOUS = 0.98  # AUC whose lower bound is above it


def suspicion_warnings(study: Study, metrics: Iterable[Metric]) -> Iterator[str]:
    """A sentence for each model whose AUC on patients that it was not trained on is suspiciously good.

    Of models that share a suspicious part only the smallest are told.
    """
    good = {
        row.model
        for row in metrics
        if row.cohort in ROLES[1:]
        and row.site is None
        and row.metric.partition(".")[0] == "auc"
        and row.low is not None
        and row.low > SUSPICIOUS
    }
    told: list[set[str]] = []
    for model in study.compared:
        parts = set(_parts(study, model))
        if model in good and not any(smaller <= parts for smaller in told):
            told.append(parts)
            inputs = "; ".join(f"{name}: {_inputs(study, name)}" for name in study.modalities if name in parts)
            yield (
                f"suspiciously good: the AUC of {model} lies above {SUSPICIOUS:g} with its whole interval. Does one of "
                f"its inputs know the answer? It reads {inputs}"
            )


def _parts(study: Study, model: str) -> tuple[str, ...]:
    """The modalities of a model, or of a comparator."""
    return study.comparators[model].modalities if model in study.comparators else tuple(model.split("+"))


def _inputs(study: Study, name: str) -> str:
    """The columns of ``patients.csv`` that a modality reads, or else its table or files."""
    modality = study.modalities[name]
    return ", ".join(modality.cells) or getattr(modality, "table", "") or str(getattr(modality, "path", ""))
