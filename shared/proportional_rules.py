"""Rules of Cox regressions."""

from collections.abc import Iterator

from shared.outcomes.survival import Survival
from shared.study import Study


def proportional_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    for name, choice in study.cox.items():
        place = f"cox.{name}"
        if name in (*study.models, *study.boosted, *study.comparators):
            yield place, "this is the name of another model", "rename it"
        if study.private:
            rule = "a patient's part in its sums depends on all others at risk, so that no clip bounds it"
            yield place, rule, "remove it under dp-sgd: the study's own models learn the hazard"
        if not isinstance(study.outcome, Survival):
            yield place, f"a {study.outcome.kind} outcome has no time to an event", "remove it"
        if study.unit.row:
            yield place, "follows patients, and this study has several rows of each", "remove it, or unit.row"
        for part in sorted(set(choice.modalities) - set(study.modalities)):
            yield f"{place}.modalities", f'"{part}" is not under [modalities]', "correct the name"
