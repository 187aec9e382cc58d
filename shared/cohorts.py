"""Which hospital plays which role in which fold, and the public sizes that follow from the study file."""

from dataclasses import dataclass
from typing import Literal

from shared.schemes import ColumnSplit, KFold, LeaveOneSiteOut, SiteHoldout, Temporal
from shared.study import Study

Role = Literal["train", "internal", "external"]
ROLES: tuple[Role, ...] = ("train", "internal", "external")
MAIN = "main"


@dataclass(frozen=True)
class Fold:
    """One model to be trained: at ``train``, and external at ``external``; ``held`` is the part kept aside in it."""

    name: str
    train: tuple[str, ...]
    external: tuple[str, ...]
    held: int | None = None

    @property
    def sites(self) -> tuple[str, ...]:
        """Every hospital that has a part in it."""
        return (*self.train, *self.external)


def folds(study: Study) -> list[Fold]:
    """One fold "main"; one a hospital, named by it, for leave-one-site-out; one a part for k-fold.

    A k-fold with external hospitals ends with "main", whose model all patients train and which is external there.
    """
    cohorts, sites = study.cohorts, tuple(study.sites)
    if isinstance(cohorts, LeaveOneSiteOut):
        return [Fold(left, tuple(site for site in sites if site != left), (left,)) for left in sites]
    inside = tuple(site for site in sites if site not in cohorts.external)
    main = Fold(MAIN, cohorts.train if isinstance(cohorts, SiteHoldout) else inside, cohorts.external)
    if not isinstance(cohorts, KFold):
        return [main]
    parts = [Fold(f"fold-{part}", inside, (), part) for part in range(1, cohorts.folds + 1)]
    return [*parts, main] if cohorts.external else parts


def fold_named(study: Study, name: str) -> Fold:
    """The fold of that name; KeyError where there is none."""
    return {fold.name: fold for fold in folds(study)}[name]


def training_patients(study: Study, site: str, fold: Fold) -> float:
    """A training hospital's declared number of training patients: its weight and its denominator, never a count."""
    entry, cohorts = study.sites[site], study.cohorts
    if isinstance(cohorts, ColumnSplit | Temporal):
        assert entry.training is not None, "a rule of the study"
        return float(entry.training)
    if isinstance(cohorts, KFold):
        return entry.patients * (1 - 1 / cohorts.folds if fold.held else 1.0)
    return entry.patients * (1 - cohorts.internal)


def describing_arm(study: Study, fold: Fold) -> str:
    """The only run of a fold in which a hospital describes its patients: with another arm's threshold the same patients
    would stand in other risk groups, and the difference would show the few between them."""
    kinds = [kind for kind in ("federated", "alone", "pooled") if kind in study.arms.run]
    return f"alone:{fold.train[0]}" if kinds[0] == "alone" else kinds[0]


def portrayed(study: Study) -> tuple[Role, ...]:
    """Cohorts whose patients may be described beyond their number.

    Under privacy not those who train, as no part of the budget pays for it, and nobody where those who validate have a
    budget too. Where hospitals are left out in turn only the left-out hospital: its internal cohort in another fold is
    a part of it, and the difference would show the rest. In a k-fold the parts that are kept aside: who trains in one
    fold is in the others' parts.
    """
    if study.validation_noise is not None:
        return ()
    if isinstance(study.cohorts, LeaveOneSiteOut):
        return ROLES[2:]
    return ROLES[1:] if study.private or isinstance(study.cohorts, KFold) else ROLES
