"""Which hospital plays which role in which fold, and the public sizes that follow from the study file."""

from dataclasses import dataclass
from typing import Literal

from shared.study import ColumnSplit, LeaveOneSiteOut, SiteHoldout, Study

Role = Literal["train", "internal", "external"]
ROLES: tuple[Role, ...] = ("train", "internal", "external")


@dataclass(frozen=True)
class Fold:
    """One model to be trained: at ``train``, and external at ``external``."""

    name: str
    train: tuple[str, ...]
    external: tuple[str, ...]


def folds(study: Study) -> list[Fold]:
    """One fold "main" for a site hold-out or a column; one fold a hospital, named by it, for leave-one-site-out."""
    cohorts, sites = study.cohorts, tuple(study.sites)
    if isinstance(cohorts, SiteHoldout):
        return [Fold("main", cohorts.train, cohorts.external)]
    if isinstance(cohorts, ColumnSplit):
        return [Fold("main", sites, ())]
    return [Fold(left, tuple(site for site in sites if site != left), (left,)) for left in sites]


def fold_named(study: Study, name: str) -> Fold:
    """The fold of that name; KeyError where there is none."""
    return {fold.name: fold for fold in folds(study)}[name]


def training_patients(study: Study, site: str) -> float:
    """A training hospital's declared number of training patients: its weight and its denominator, never a count."""
    entry = study.sites[site]
    if isinstance(study.cohorts, ColumnSplit):
        assert entry.training is not None, "a rule of the study"
        return float(entry.training)
    return entry.patients * (1 - study.cohorts.internal)


def describing_arm(study: Study, fold: Fold) -> str:
    """The only run of a fold in which a hospital describes its patients: with another arm's threshold the same patients
    would stand in other risk groups, and the difference would show the few between them."""
    kinds = [kind for kind in ("federated", "alone", "pooled") if kind in study.arms.run]
    return f"alone:{fold.train[0]}" if kinds[0] == "alone" else kinds[0]


def portrayed(study: Study) -> tuple[Role, ...]:
    """Cohorts whose patients may be described beyond their number.

    Under privacy not those who train, as no part of the budget pays for it, and nobody where those who validate have a
    budget too. Where hospitals are left out in turn only the left-out hospital: its internal cohort in another fold is
    a part of it, and the difference would show the rest.
    """
    if study.validation_noise is not None:
        return ()
    if isinstance(study.cohorts, LeaveOneSiteOut):
        return ROLES[2:]
    return ROLES[1:] if study.private else ROLES
