"""Rules of who trains and who is kept aside, over hospitals and their declared sizes."""

from collections.abc import Iterator

from shared.cohorts import folds
from shared.schemes import ColumnSplit, KFold, LeaveOneSiteOut, PooledSplit, SiteHoldout, Temporal
from shared.sections import duplicates
from shared.study import SiteEntry, Study

Fault = tuple[str, str, str]  # place, rule, remedy
RESERVED = {
    "pooled": "all hospitals of a simulation together",
    "main": "the model of all training hospitals",
    "all": "a summary over folds",
}
USUAL_PATIENTS = 20  # fewest of a cohort whose figures leave, by a hospital's defaults


def cohort_faults(study: Study) -> Iterator[Fault]:
    """Every broken rule."""
    cohorts, sites = study.cohorts, set(study.sites)
    for name in sorted(sites & set(RESERVED)):
        yield f"sites.{name}", f"this name stands for {RESERVED[name]}", "rename the hospital"
    if isinstance(cohorts, SiteHoldout):
        yield from _holdout_faults(cohorts, sites)
    elif isinstance(cohorts, LeaveOneSiteOut) and len(sites) < 2:
        yield "cohorts.scheme", "leave-one-site-out needs at least two sites", "declare more under [sites]"
    elif isinstance(cohorts, PooledSplit | KFold | Temporal):
        key = "test" if isinstance(cohorts, PooledSplit) else "external"
        yield from _named_faults(key, cohorts.external, sites)
        if not sites - set(cohorts.external):
            yield f"cohorts.{key}", "no hospital is left to train", "declare more under [sites]"
    if isinstance(cohorts, KFold) and study.validation_noise is not None:
        rule = "noised tallies of the parts of a k-fold are not joined to one figure"
        yield "privacy.validation", rule, "remove it, or take another scheme"
    for name, entry in study.sites.items():
        yield from _size_faults(study, name, entry)


def cohort_warnings(study: Study) -> Iterator[str]:
    """Parts so small that their figures would not leave their hospitals."""
    cohorts = study.cohorts
    if not isinstance(cohorts, KFold):
        return
    for name, entry in study.sites.items():
        if name not in cohorts.external and (size := entry.patients / cohorts.folds) < USUAL_PATIENTS:
            yield (
                f"cohorts.folds = {cohorts.folds}: a part of {name} has about {size:.0f} patients; hospitals' usual "
                f"minimums ({USUAL_PATIENTS} patients, 10 of a class) keep its figures there"
            )


def folds_add_up(study: Study) -> str:
    """What all folds of one arm cost a patient together, were each released; empty of one fold, or without privacy."""
    from shared.privacy.accounting import composed_epsilon  # with scipy, which reading a study need not wait for
    from shared.privacy.mechanism import plan_privacy

    runs, plan = max(sum(site in fold.train for fold in folds(study)) for site in study.sites), plan_privacy(study)
    if plan is None or runs < 2:
        return ""
    total = composed_epsilon([stage.whole for stage in plan.stages.values()] * runs, plan.delta)
    return (
        f"a hospital's patients train in {runs} folds, and where these are run for real they add up: epsilon "
        f"{total:.3g} for each arm, where privacy.epsilon = {plan.epsilon:g} is of one fold; its ledger charges every "
        "fold to all of its patients"
    )


def _holdout_faults(cohorts: SiteHoldout, sites: set[str]) -> Iterator[Fault]:
    for role, names in (("train", cohorts.train), ("external", cohorts.external)):
        yield from _named_faults(role, names, sites)
    for name in sorted(set(cohorts.train) & set(cohorts.external)):
        yield "cohorts", f'"{name}" both trains and is external', "keep it in one of the two"
    for name in sorted(sites - set(cohorts.train) - set(cohorts.external)):
        yield "cohorts", f'"{name}" is declared under [sites] but has no role', "give it one, or remove it"


def _named_faults(role: str, names: tuple[str, ...], sites: set[str]) -> Iterator[Fault]:
    for name in duplicates(names):
        yield f"cohorts.{role}", f'"{name}" stands twice', "keep it once"
    for name in sorted(set(names) - sites):
        yield f"cohorts.{role}", f'"{name}" is not under [sites]', f"declare sites.{name} with its patients"


def _size_faults(study: Study, name: str, entry: SiteEntry) -> Iterator[Fault]:
    declared = isinstance(study.cohorts, ColumnSplit | Temporal) and name not in study.cohorts.external
    if declared != (entry.training is not None):
        rule = (
            'how many train is declared with scheme = "column" or "temporal", where a hospital trains, and only there'
        )
        yield f"sites.{name}.training", rule, "add it, or remove it"
    elif entry.training is not None and entry.training > entry.patients:
        yield f"sites.{name}.training", "no more can train than there are patients", "correct one of the two"
