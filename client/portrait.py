"""Describes a cohort's patients under the hospital's minimums: modalities present, Table 1, survival by risk group."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from client.evaluation import Ward
from client.prognosis import FollowUp, prognosis
from client.table_one import table_one
from shared.batch import Batch
from shared.metrics.delong import Floats, clustered_auc
from shared.model import MultimodalModel
from shared.outcomes.base import Target
from shared.portrait import Area, PatternCount, Portrait, Removed
from shared.study import Study
from shared.wire import SiteFigures

Mask = npt.NDArray[np.bool_]
Pattern = tuple[str, ...]


@dataclass(frozen=True)
class Sitting:
    """What a portrait is made of: a cohort's units, the frozen models, and what is told of the primary one."""

    study: Study
    model: MultimodalModel
    batch: Batch
    ward: Ward
    scores: Floats  # (units, outputs) of the primary model
    told: SiteFigures | None  # of the primary model, where the outcome is one question
    threshold: float | None
    follow_up: FollowUp | None

    @property
    def question(self) -> Target | None:
        """The outcome's only question, of all units; None where it has others."""
        return self.ward.outcome.targets(self.ward.truth, self.scores).get("")


def portrait(sitting: Sitting) -> Portrait:
    """Everything that may be told of the cohort."""
    ward, limits = sitting.ward, sitting.ward.limits
    if ward.size < limits.min_patients:
        return Portrait(role=ward.role, patients=None)
    numbers, categories, withheld = table_one(sitting.study, sitting.batch, limits)
    found, reason = prognosis(sitting.follow_up, sitting.told, _decisions(sitting), limits)
    return Portrait(
        role=ward.role,
        patients=ward.size,
        patterns=_patterns(sitting),
        removed=_removed(sitting),
        numbers=numbers,
        categories=categories,
        withheld=withheld,
        prognosis=found,
        prognosis_reason=reason,
    )


def _decisions(sitting: Sitting) -> tuple[Floats, Mask] | None:
    """Score and decision of each unit; None where the outcome is not one question, or has no threshold."""
    question = sitting.question
    if question is None or sitting.threshold is None:
        return None
    return question.score, question.score >= sitting.threshold


def _patterns(sitting: Sitting) -> tuple[PatternCount, ...]:
    """Patients by the modalities that any of their units has, with the AUC where there are enough of each class."""
    batch, limits = sitting.batch, sitting.ward.limits
    names, owner = list(batch.present), sitting.ward.owner
    held = np.zeros((int(owner.max()) + 1, len(names)), dtype=np.int64)
    np.add.at(held, owner, np.stack([batch.present[name].numpy() for name in names], axis=1))
    patterns = [tuple(np.array(names)[row > 0].tolist()) for row in held]
    groups = grouped(Counter(patterns), limits.min_cell)
    members = {pattern: np.array([own == pattern for own in patterns])[owner] for pattern in groups if pattern}
    areas = _areas(sitting, members)
    return tuple(PatternCount(present=p, n=n, area=areas.get(p) if p else None) for p, n in groups.items())


def grouped(counts: Counter[Pattern], min_cell: int) -> dict[Pattern | None, int]:
    """The largest first; those below ``min_cell`` together under None, with the next larger until they are enough."""
    groups: dict[Pattern | None, int] = {}
    rest = sum(n for n in counts.values() if n < min_cell)
    for pattern, n in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        if n >= min_cell and (rest == 0 or rest >= min_cell):
            groups = {pattern: n, **groups}
        elif n >= min_cell:
            rest += n
    return {**groups, None: rest} if rest else groups


def _areas(sitting: Sitting, members: dict[Pattern, Mask]) -> dict[Pattern, Area]:
    """AUC by pattern; those who are left when all told are taken away are no small group either."""
    question, limits, ward = sitting.question, sitting.ward.limits, sitting.ward
    if question is None or sitting.told is None or sitting.told.auc is None:
        return {}
    sides = (question.event == 1, question.event == 0)
    told = {p: m for p, m in members.items() if min(ward.patients(m & side) for side in sides) >= limits.min_class}
    while told:
        left = ~np.any(list(told.values()), axis=0)
        if all(count == 0 or count >= limits.min_cell for count in (ward.patients(left & side) for side in sides)):
            break
        told.popitem()  # the smallest
    return {pattern: _area(ward, question, units) for pattern, units in told.items()}


def _area(ward: Ward, question: Target, units: Mask) -> Area:
    event = question.event[units]
    auc, variance = _auc(event, question.score[units], ward.owner[units])
    return Area(n=len(event), events=int(event.sum()), auc=auc, variance=variance)


def _auc(event: Floats, score: Floats, owner: npt.NDArray[np.int64]) -> tuple[float, float]:
    """AUC to three decimals and its variance to four digits, as figures of ranks leave."""
    found = clustered_auc(event, score[None], owner)
    return round(float(found.auc[0]), 3), float(f"{max(float(found.covariance[0, 0]), 0.0):.4g}")


def _removed(sitting: Sitting) -> tuple[Removed, ...]:
    """The same patients with each modality taken away in turn."""
    ward, primary, question = sitting.ward, sitting.study.primary, sitting.question
    if question is None or sitting.told is None or sitting.told.auc is None or "+" not in primary:
        return ()
    rows = []
    for name, scores in sitting.model.without_each(primary, sitting.batch).items():
        auc, variance = _auc(question.event, scores.detach().numpy()[:, 0].astype(np.float64), ward.owner)
        rows.append(Removed(modality=name, auc=auc, variance=variance))
    return tuple(rows)
