"""How a study of the catalog is made small enough to be tried in seconds: overrides, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.outcomes.classes import Classes
from shared.schemes import KFold, PooledSplit, SiteHoldout
from shared.study import DpSgd, Study

PATIENTS, ROUNDS, STEPS, ROWS = 44, 2, 3, 2.0  # at most, of each
FOLDS = 2
ASIDE = 0.4  # share of a hospital's patients kept for internal validation
RARE, FREQUENT = 0.2, 0.3
EPSILON = 96.0
MINIMUMS = {"min_cell": 1, "min_class": 2, "min_patients": 2}  # of invented hospitals: nobody is protected by them


@dataclass(frozen=True)
class Cut:
    """An override as ``--set`` takes it, and why."""

    override: str
    why: str


def cuts(study: Study) -> list[Cut]:
    """What makes a study small; shapes, encoders, fusions, cohorts and arms stay as they are."""
    return [*_sizes(study), *_training(study), *_patients(study)]


def _sizes(study: Study) -> Iterator[Cut]:
    for name, site in study.sites.items():
        if site.patients > PATIENTS:
            yield Cut(f"sites.{name}.patients={PATIENTS}", f"{PATIENTS} patients a hospital")
        if site.training and site.training > (most := round(PATIENTS * (1 - ASIDE))):
            yield Cut(f"sites.{name}.training={most}", "enough kept aside for a figure")
    if isinstance(study.cohorts, SiteHoldout | PooledSplit) and 0 < study.cohorts.internal < ASIDE:
        yield Cut(f"cohorts.internal={ASIDE}", "enough kept aside for a figure")
    if isinstance(study.cohorts, KFold) and study.cohorts.folds > FOLDS:
        yield Cut(f"cohorts.folds={FOLDS}", f"{FOLDS} folds, with enough in each")


def _training(study: Study) -> Iterator[Cut]:
    training = study.training
    if training.rounds > ROUNDS:
        yield Cut(f"training.rounds={ROUNDS}", f"{ROUNDS} rounds a stage")
    if training.steps > STEPS:
        yield Cut(f"training.steps={STEPS}", f"{STEPS} steps a round")
    if training.sample_rate is not None:
        yield Cut("training.sample_rate=0.5", "a step reads half of the patients")
    if isinstance(study.privacy, DpSgd):
        yield Cut(f"privacy.epsilon={EPSILON}", f"epsilon {EPSILON:g}: fewer patients learn nothing with less")


def _patients(study: Study) -> Iterator[Cut]:
    simulation = study.simulation
    if simulation is None:
        return
    if study.unit.row and simulation.rows.mean > ROWS:
        yield Cut(f"simulation.rows.mean={ROWS}", f"{ROWS:g} rows a patient")
    yield from frequent_events(study)
    if isinstance(study.outcome, Classes) and simulation.shares:
        even = ", ".join(["1.0"] * len(study.outcome.classes))
        yield Cut(f"simulation.shares=[{even}]", "classes of one size: a rare one would not occur")


def frequent_events(study: Study) -> Iterator[Cut]:
    """A rare event made frequent, by which no oracle's AUC changes: the patients of each class stay as they are."""
    rare = study.simulation is not None and study.simulation.prevalence < RARE
    if rare and study.outcome.kind in ("binary", "early-warning"):
        yield Cut(f"simulation.prevalence={FREQUENT}", f"prevalence {FREQUENT:g}: a rare event hardly occurs")
