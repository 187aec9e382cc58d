"""Rules of published nomograms: of columns that the study declares, and of an outcome with one score."""

from collections.abc import Iterator

from shared.modalities.tabular import Tabular
from shared.study import Study


def nomogram_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    tables = [spec for spec in study.modalities.values() if isinstance(spec, Tabular) and not spec.table]
    numbers = {name for spec in tables for name in spec.numeric}
    words = {name: set(column.values) for spec in tables for name, column in spec.categorical.items()}
    if study.nomograms and study.validation_noise is not None:
        yield "nomograms", "no budget of privacy.validation is planned for them", "remove them, or privacy.validation"
    for name, own in study.nomograms.items():
        place = f"nomograms.{name}"
        if name in study.models or name in study.boosted or name in study.comparators:
            yield place, "this is the name of another model", "rename it"
        if study.outcome.kind not in ("binary", "early-warning"):
            yield place, f"a nomogram has no score of a {study.outcome.kind} outcome", "remove it"
        for column in sorted((set(own.numeric) - numbers) | (set(own.categorical) - set(words))):
            rule = f'no tabular modality reads "{column}" of patients.csv as such a column'
            yield f"{place}.{column}", rule, "declare it under [modalities]"
        for column, term in own.categorical.items():
            if column in words and set(term.points) != words[column]:
                yield (
                    f"{place}.{column}.points",
                    f"the column's words are {', '.join(sorted(words[column]))}",
                    "name each",
                )
