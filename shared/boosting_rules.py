"""Rules of trees that a federation grows together."""

from collections.abc import Iterator

from shared.outcomes.binary import Binary
from shared.study import Study


def boosting_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    for name, choice in study.boosted.items():
        place = f"boosted.{name}"
        if name in study.models or name in study.comparators:
            yield place, "this is the name of another model", "rename it"
        if study.private:
            rule = "trees hold patients' values as the points where they split, which no clip or noise covers"
            yield place, rule, "remove it under dp-sgd"
        if not isinstance(study.outcome, Binary):
            yield place, f"trees are not grown together for a {study.outcome.kind} outcome", "remove it"
        for part in sorted(set(choice.modalities) - set(study.modalities)):
            yield f"{place}.modalities", f'"{part}" is not under [modalities]', "correct the name"
        if {"federated"} <= set(choice.arms) & set(study.arms.run) and not study.training.share_alone:
            rule = "each tree is one hospital's own, and all others get it"
            yield place, rule, "write training.share_alone = true, or leave the federated arm out"
