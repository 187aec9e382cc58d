"""How a nomogram's decisions and the primary model's fall together on a hospital's patients, where no cell is small."""

from collections.abc import Mapping, Sequence

import numpy as np

from client.evaluation import Ward
from shared.metrics.delong import Floats
from shared.risk_figures import Four, Joint
from shared.study import Study
from shared.wire import SiteFigures


def with_joint(
    figures: Sequence[SiteFigures],
    ward: Ward,
    scores: Mapping[str, Floats],
    thresholds: Mapping[str, float | None],
    study: Study,
) -> list[SiteFigures]:
    """The figures, those of nomograms with their table; ``scores`` (units, outputs) and cuts on the log odds by model.

    Of cohorts with one row a patient, and whose cells may leave at all: who trains is tallied once.
    """
    several = len(ward.owner) > ward.size
    cuts = {name: thresholds.get(name) for name in (study.primary, *study.nomograms)}
    if several or ward.role == "train":
        return list(figures)
    told = []
    for own in figures:
        risk = own.risk
        if risk and own.model in study.nomograms:
            joint = _joint(ward, scores, (study.primary, own.model), cuts)
            risk = risk.model_copy(update={"joint": joint})
        told.append(own.model_copy(update={"risk": risk}))
    return told


def _joint(
    ward: Ward, scores: Mapping[str, Floats], pair: tuple[str, str], cuts: Mapping[str, float | None]
) -> Joint | None:
    """None where a threshold is missing or any cell would be small."""
    yes = []
    for model in pair:
        cut = cuts[model]
        if cut is None:
            return None
        yes.append(scores[model][:, 0] >= cut)
    event = ward.truth[:, 0] == 1
    tables = [_cells(yes[0][side], yes[1][side]) for side in (event, ~event)]
    if any(0 < count < ward.limits.min_cell for table in tables for count in table):
        return None
    return Joint(events=tables[0], others=tables[1])


def _cells(first: np.ndarray, second: np.ndarray) -> Four:
    """Patients with both, only the first, only the second, neither."""
    counts = ((first & second), (first & ~second), (~first & second), (~first & ~second))
    return (int(counts[0].sum()), int(counts[1].sum()), int(counts[2].sum()), int(counts[3].sum()))
