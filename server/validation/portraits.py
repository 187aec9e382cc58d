"""Table 1 and the modalities that patients have, as rows of ``results.json``: by hospital, and over the hospitals."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from server.record import RunRecord
from server.report.fields import MAIN
from server.report.participants import UNKNOWN, Characteristic, Pattern
from server.validation.group import Category, Group, Number, joined
from shared.cohorts import ROLES, Role
from shared.modalities.tabular import Tabular
from shared.portrait import Portrait
from shared.schemes import LeaveOneSiteOut
from shared.study import Study

ALL_FOLDS = "all"  # of a leave-one-site-out: each hospital where it was left out
TOO_FEW = "too few to report"
WITHHELD = "too few to report"


@dataclass(frozen=True)
class Cohort:
    """The portraits of one cohort by hospital; several of one hospital are of different patients."""

    fold: str
    role: Role
    portraits: dict[str, list[Portrait]]

    @property
    def places(self) -> list[tuple[str | None, list[Portrait]]]:
        """All hospitals first, then each."""
        return [(None, [own for several in self.portraits.values() for own in several]), *self.portraits.items()]


def cohorts_of(study: Study, records: Sequence[RunRecord]) -> list[Cohort]:
    """What hospitals told of their patients, once each: the same patients are in all arms, and one arm tells.

    Where hospitals are left out in turn, their cohorts are one.
    """
    left_out = isinstance(study.cohorts, LeaveOneSiteOut)
    told = [
        (ALL_FOLDS if left_out else MAIN, own.role, site, own)
        for record in records
        for site, portraits in sorted(record.portraits.items())
        for own in portraits
        if own.patients is not None
    ]
    ordered = sorted(told, key=lambda row: (row[0], ROLES.index(row[1])))
    cohorts = []
    for (fold, role), group in groupby(ordered, key=lambda row: (row[0], row[1])):
        cohorts.append(Cohort(fold, role, {}))
        for _, _, site, own in group:
            cohorts[-1].portraits.setdefault(site, []).append(own)
    return cohorts


def pattern_rows(cohorts: Iterable[Cohort]) -> Iterator[Pattern]:
    """Patients by exact set of modalities; over hospitals what each told, and the small ones of each together."""
    for cohort in cohorts:
        for site, portraits in cohort.places:
            counts: Counter[tuple[str, ...] | None] = Counter()
            for own in portraits:
                counts.update({row.present: row.n for row in own.patterns})
            for present, n in counts.most_common():
                yield Pattern(
                    fold=cohort.fold,
                    cohort=cohort.role,
                    site=site,
                    present="+".join(present) if present else None,
                    other=present is None,
                    n=n,
                )


def characteristic_rows(study: Study, cohorts: Sequence[Cohort]) -> Iterator[Characteristic]:
    """A line a number and a word, for all hospitals and each; compared with the first cohort that is told."""
    tables = {name: spec for name, spec in study.modalities.items() if isinstance(spec, Tabular)}
    often = Counter(column for spec in tables.values() for column in spec.columns)
    for modality, spec in tables.items():
        for column in spec.columns:
            words = spec.categorical[column].values if column in spec.categorical else None
            unit = spec.numeric[column].unit if column in spec.numeric else ""
            name = column if often[column] == 1 else f"{modality}: {column}"
            base = _group(cohorts[0].places[0][1], (modality, column), words) if cohorts else None
            for cohort in cohorts:
                for site, portraits in cohort.places:
                    own = _group(portraits, (modality, column), words)
                    compared = None if cohort is cohorts[0] else base
                    where = {"fold": cohort.fold, "cohort": cohort.role, "site": site, "variable": name, "unit": unit}
                    untold = UNKNOWN if words is None and not spec.indicators else None
                    for row in _lines(where, own, compared, words):
                        yield row.model_copy(update={"reason": untold or row.reason})


def _group(portraits: Sequence[Portrait], key: tuple[str, str], words: tuple[str, ...] | None) -> Group | None:
    """A column of several hospitals together; None where one of them does not tell it."""
    parts: list[Group] = []
    for own in portraits:
        patients = own.patients or 0
        numbers = [row for row in own.numbers if (row.modality, row.column) == key]
        categories = [row for row in own.categories if (row.modality, row.column) == key]
        if words is None and numbers:
            known = patients - (numbers[0].missing or 0)
            parts.append(Number(known, numbers[0].mean, numbers[0].deviation, numbers[0].missing))
        elif words is not None and categories and len(categories[0].counts) == len(words):
            parts.append(Category(categories[0].counts, categories[0].missing))
    return joined(parts) if parts and len(parts) == len(portraits) else None


def _lines(
    where: Mapping[str, object], own: Group | None, base: Group | None, words: tuple[str, ...] | None
) -> Iterator[Characteristic]:
    smd = own.difference(base) if own and base else None
    if own is None:
        form = "mean" if words is None else "count"
        hidden = {**where, "form": form, "estimate": None, "reason": WITHHELD if words is None else TOO_FEW}
        for level in words or (None,):
            yield Characteristic.model_validate({**hidden, "level": level})
    elif isinstance(own, Number):
        told = {"form": "mean", "estimate": own.mean, "spread": own.deviation, "missing": own.missing, "smd": smd}
        yield Characteristic.model_validate({**where, **told})
    else:
        for place, (level, count) in enumerate(zip(words or (), own.counts, strict=True)):
            first = {"missing": own.missing, "smd": smd} if place == 0 else {}
            cell = {"estimate": count, "share": own.share(count), "reason": TOO_FEW if count is None else None}
            yield Characteristic.model_validate({**where, "level": level, "form": "count", **cell, **first})
