"""Rules of choosing columns by what training patients say."""

from collections.abc import Iterator

from shared.outcomes.classes import Multiclass
from shared.selection import classes_of, selecting
from shared.study import Study


def selection_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    for name, spec in selecting(study).items():
        place, choice = f"modalities.{name}.select", spec.select
        assert choice
        if study.private:
            rule = "a column kept or dropped is a release of its own, which no share of the budget pays for"
            yield place, rule, 'declare the columns instead, or write privacy.mechanism = "none"'
        if choice.by == "lasso" and "federated" in study.arms.run:
            rule = "a LASSO needs counts of every pair of values, most of which are smaller than a cell may be"
            yield f"{place}.by", rule, 'take "mutual-information" or "correlation", or leave the federated arm out'
        if not classes_of(study.outcome):
            yield place, f"a {study.outcome.kind} outcome has no classes to count by", "declare the columns instead"
        elif choice.by != "mutual-information" and isinstance(study.outcome, Multiclass):
            yield f"{place}.by", "classes without an order have no correlation", 'take "mutual-information"'
