"""Which hospital plays which role in which fold, and the public sizes that follow from the study file."""

from dataclasses import dataclass
from typing import Literal

from shared.study import SiteHoldout, Study

Role = Literal["train", "internal", "external"]
ROLES: tuple[Role, ...] = ("train", "internal", "external")


@dataclass(frozen=True)
class Fold:
    """One model to be trained: at ``train``, and external at ``external``."""

    name: str
    train: tuple[str, ...]
    external: tuple[str, ...]


def folds(study: Study) -> list[Fold]:
    """One fold "main" for a site hold-out; one fold a hospital, named by it, for leave-one-site-out."""
    cohorts, sites = study.cohorts, tuple(study.sites)
    if isinstance(cohorts, SiteHoldout):
        return [Fold("main", cohorts.train, cohorts.external)]
    return [Fold(left, tuple(site for site in sites if site != left), (left,)) for left in sites]


def fold_named(study: Study, name: str) -> Fold:
    """The fold of that name; KeyError where there is none."""
    return {fold.name: fold for fold in folds(study)}[name]


def training_patients(study: Study, site: str) -> float:
    """A training hospital's declared number of training patients: its weight and its denominator, never a count."""
    return study.sites[site].patients * (1 - study.cohorts.internal)
