"""Rules of what stands in the place of a missing cell."""

from collections.abc import Iterator

from shared.cohorts import folds
from shared.modalities.tabular import Tabular
from shared.study import Study


def imputation_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    external = any(fold.external for fold in folds(study))
    tables = {name: spec for name, spec in study.modalities.items() if isinstance(spec, Tabular)}
    for name, spec in tables.items():
        if spec.imputation != "forest":
            continue
        place = f"modalities.{name}.imputation"
        if study.private:
            rule = "a forest is fitted on patients, and fills one from others: no clip or noise covers that"
            yield place, rule, 'take "indicator", or "declared" with values from the literature'
        if external and spec.unfilled:
            rule = f"an external hospital trains no forest, and a fill is missing of {', '.join(spec.unfilled)}"
            yield place, rule, "declare a fill for each column, which stands there"
    if study.unit.max_missing is not None and not any(spec.cells for spec in tables.values()):
        yield "unit.max_missing", "no tabular modality reads patients.csv", "remove it"
