"""What privacy costs: AUC of the federated primary model against epsilon, over many draws of the noise."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from server.record import RunRecord, load_records
from server.validation.rows import by_cohort
from server.validation.summary import within_hospital_auc
from shared.cohorts import Role
from shared.errors import Problem, StudyError
from shared.study import Arms, DpSgd, Study
from simulations.arms import Consortium, Hooks, run_arms

VALIDATED: tuple[Role, ...] = ("internal", "external")


@dataclass(frozen=True)
class Price:
    """AUC of the primary model at one epsilon (None: no privacy) on one cohort of one fold, over draws of the noise."""

    fold: str
    cohort: str
    epsilon: float | None
    aucs: tuple[float, ...]


def prices(
    study: Study,
    consortium: Consortium,
    epsilons: Sequence[float],
    draws: int,
    step: Callable[[], None] = lambda: None,
) -> list[Price]:
    """Train the federated arm ``draws`` times at each epsilon, and once without privacy; ``step`` after each run.

    A fold "mean" is added where several left-out hospitals could report: the mean over them, draw by draw.
    """
    found: list[Price] = []
    for epsilon in (None, *epsilons):
        runs = []
        for draw in range(draws if epsilon is not None else 1):
            runs.append(_aucs(at_epsilon(study, epsilon), consortium, f"{epsilon}-{draw}"))
            step()
        for fold, cohort in sorted({key for run in runs for key in run}):
            found.append(Price(fold, cohort, epsilon, tuple(run[fold, cohort] for run in runs)))
        if len({fold for fold, _ in runs[0]}) > 1:
            found.append(Price("mean", "external", epsilon, tuple(float(np.mean(list(run.values()))) for run in runs)))
    return found


def at_epsilon(study: Study, epsilon: float | None) -> Study:
    """The study's federated arm at another epsilon; StudyError where it is not private at all."""
    if not isinstance(study.privacy, DpSgd):
        rule, remedy = "the study has no privacy to be priced", 'write privacy.mechanism = "dp-sgd"'
        raise StudyError([Problem(study.name, "privacy.mechanism", rule, remedy)])
    federated = study.model_copy(update={"arms": Arms(run=("federated",))})
    if epsilon is None:
        return federated.without_privacy()
    return federated.model_copy(update={"privacy": study.privacy.model_copy(update={"epsilon": epsilon})})


def _aucs(study: Study, consortium: Consortium, name: str) -> dict[tuple[str, str], float]:
    """AUC by (fold, cohort) of one run; its state is a what-if and is not kept."""
    folder = consortium.state / "price" / name
    try:
        run_arms(study, Consortium(consortium.archives, folder / "hospitals"), folder, Hooks(), twins=False)
        found = {
            (record.run.fold, cohort): _auc(record, study.primary, cohort)
            for record in load_records(folder)
            for cohort in VALIDATED
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {key: auc for key, auc in found.items() if auc is not None}


def _auc(record: RunRecord, model: str, cohort: Role) -> float | None:
    figures = [figures for _, figures in by_cohort(record, model, cohort)]
    return within_hospital_auc(figures).value if figures else None
