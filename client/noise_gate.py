"""The gatekeeper's rule for validation patients who have a budget: a noised tally of each model, and nothing exact."""

from shared.errors import PrivacyRefusal
from shared.privacy.mechanism import plan_privacy, tally_deviation
from shared.study import Study
from shared.wire import Described, Evaluated, SiteFigures

# What may be told of a model there; every other field stays as empty as the type makes it.
TOLD = {"model", "role", "patients", "noised", "reasons"}


def check_noise(answer: Described | Evaluated, study: Study | None) -> None:
    """Refuse exact figures of validation patients where the study gives them a budget, and noise where it does not."""
    noised = study is not None and study.validation_noise is not None
    if isinstance(answer, Described):
        if noised and any(cohort.events is not None for cohort in answer.cohorts):
            raise _exact()
        return
    if not noised:
        if answer.epsilon is not None or any(own.noised for own in answer.figures):
            raise PrivacyRefusal("not-noised", "the study gives validation patients no budget, so nothing is noised")
        return
    assert study is not None
    if answer.portraits or any(_exact_in(own) for own in answer.figures):
        raise _exact()
    if any(own.noised and not _planned(own, study) for own in answer.figures):
        raise PrivacyRefusal("wrong-noise", "a noised tally has the noise that the study plans for its model")
    if any(own.noised for own in answer.figures) and not (answer.releases == 1 and answer.epsilon is not None):
        raise PrivacyRefusal("not-charged", "a noised tally leaves with its line in the ledger only")


def _exact_in(own: SiteFigures) -> bool:
    empty = SiteFigures(model=own.model, role=own.role, n=None, events=None)
    told = {name for name in SiteFigures.model_fields if getattr(own, name) != getattr(empty, name)}
    return not told <= TOLD or (own.role == "train" and own.noised is not None)


def _planned(own: SiteFigures, study: Study) -> bool:
    plan = plan_privacy(study)
    assert plan is not None
    assert plan.validation is not None
    return own.noised is not None and own.noised.deviation == tally_deviation(study, own.model, plan.validation)


def _exact() -> PrivacyRefusal:
    return PrivacyRefusal("exact-figure", "of validation patients who have a budget only noised tallies leave")
