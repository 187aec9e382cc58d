"""Planned comparisons: the primary model against every other one, and the federated arm against the other arms."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from server.record import RunRecord
from server.report.results import Comparison
from server.validation.rows import by_cohort
from server.validation.summary import area_of, counted
from shared.cohorts import ROLES, Role
from shared.metrics.comparison import Difference, holm, normal_difference
from shared.outcomes.binary import Binary
from shared.study import Study
from shared.wire import SiteFigures

SAME_PATIENTS = "DeLong, the same patients"
OWN_RUNS = "as if of other patients: an interval that is too wide"
Pair = tuple[str, SiteFigures, SiteFigures]  # hospital, and the two figures there


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: a model of a run."""

    record: RunRecord
    model: str


@dataclass(frozen=True)
class Part:
    """A hospital's difference, its variance, and its weight among the hospitals."""

    difference: float
    variance: float
    weight: float


def model_comparisons(study: Study, record: RunRecord) -> Iterator[Comparison]:
    """The primary minus every other model on the same patients; p is adjusted over all models and cohorts of a run.

    None of an outcome that is no single event, for which hospitals answer with no AUC of a model as a whole.
    """
    if not isinstance(study.outcome, Binary):
        return
    primary, rows = Side(record, study.primary), list[Comparison]()
    for role in ROLES[1:]:
        for model in (*study.models, *study.nomograms):
            if model != study.primary:
                other = Side(record, model)
                rows += _rows("models", (primary, other), role, ("auc", _paired_auc))
                rows += _rows("models", (primary, other), role, ("brier", _paired_brier))
    tested = [place for place, row in enumerate(rows) if row.site is None and row.metric == "auc" and row.p is not None]
    adjusted = holm([rows[place].p or 0.0 for place in tested])
    if study.evaluation.compare.adjust == "holm":
        for place, p in zip(tested, adjusted, strict=True):
            rows[place] = rows[place].model_copy(update={"p_adjusted": p})
    yield from rows


def arm_comparisons(study: Study, records: Sequence[RunRecord]) -> Iterator[Comparison]:
    """The federated primary model minus the same model of every other arm, and minus the one without privacy.

    The runs are separate releases, so their covariance is not known; margin and verdict stand where one is declared.
    None of an outcome that is no single event, as above.
    """
    for record in records:
        if record.run.arm != "federated" or not isinstance(study.outcome, Binary):
            continue
        for other in records:
            kind = _kind(record, other)
            if kind is not None:
                sides = Side(record, study.primary), Side(other, study.primary)
                for role in ROLES[1:]:
                    for row in _rows(kind, sides, role, ("auc", _unpaired_auc)):
                        yield _judged(row, study.evaluation.non_inferiority)


def _kind(record: RunRecord, other: RunRecord) -> str | None:
    if other.run.fold != record.run.fold:
        return None
    if other.run.arm == "federated":
        return "privacy" if record.private and not other.private else None
    return other.run.arm.partition(":")[0] if other.private == record.private else None


def _judged(row: Comparison, margin: float | None) -> Comparison:
    if margin is None or row.low is None or row.kind == "alone":
        return row
    return row.model_copy(update={"margin": margin, "non_inferior": row.low > -margin})


def _rows(
    kind: str,
    sides: tuple[Side, Side],
    role: Role,
    measure: tuple[str, Callable[[SiteFigures, SiteFigures], Part | None]],
) -> Iterator[Comparison]:
    """One row a hospital, and one over all hospitals; none where nobody has the cohort."""
    (first, second), (metric, part_of) = sides, measure
    others = dict(by_cohort(second.record, second.model, role))
    pairs: list[Pair] = [
        (site, mine, others[site]) for site, mine in by_cohort(first.record, first.model, role) if site in others
    ]
    parts = [part_of(mine, theirs) for _, mine, theirs in pairs]
    known = [(pair, part) for pair, part in zip(pairs, parts, strict=True) if part is not None]
    groups: list[tuple[str | None, list[tuple[Pair, Part]]]] = [
        (site, [(p, q)]) for (p, q) in known for site in (p[0],)
    ]
    if pairs:
        groups.append((None, known))
    for site, group in groups:
        found = _combined([part for _, part in group])
        tested = site is None and kind == "models" and metric == "auc"
        yield Comparison(
            kind=kind,  # type: ignore[arg-type]
            model_a=first.model,
            model_b=second.model,
            arm_a=first.record.run.arm,
            arm_b=second.record.run.arm,
            private_a=first.record.private,
            private_b=second.record.private,
            fold=first.record.run.fold,
            cohort=role,
            site=site,
            metric=metric,
            difference=found.value if found else None,
            low=found.low if found else None,
            high=found.high if found else None,
            p=found.p if found and tested else None,
            n=sum(counted(mine) or 0 for (_, mine, _), _ in group) if group else None,
            events=_events([mine for (_, mine, _), _ in group]),
            method=SAME_PATIENTS if kind == "models" else OWN_RUNS,
            reason=None if found else "no hospital could tell",
        )


def _events(figures: Sequence[SiteFigures]) -> int | None:
    """None where nobody told, or only as a noised tally."""
    told = [own.events for own in figures if own.events is not None]
    return sum(told) if told or (not any(own.noised for own in figures) and figures) else None


def _combined(parts: Sequence[Part]) -> Difference | None:
    """The mean over hospitals, each weighted by its pairs of patients (or patients), so that it is the difference of
    the figures that stand in the tables."""
    if not parts:
        return None
    total = sum(part.weight for part in parts)
    shares = [part.weight / total for part in parts]
    value = sum(share * part.difference for share, part in zip(shares, parts, strict=True))
    return normal_difference(value, sum(share**2 * part.variance for share, part in zip(shares, parts, strict=True)))


def _paired_auc(mine: SiteFigures, theirs: SiteFigures) -> Part | None:
    if mine.auc is None or theirs.auc is None or theirs.risk is None or theirs.risk.paired is None:
        return None
    return Part(mine.auc - theirs.auc, theirs.risk.paired.auc, _pairs(mine))


def _paired_brier(mine: SiteFigures, theirs: SiteFigures) -> Part | None:
    if mine.brier is None or theirs.brier is None or theirs.risk is None or theirs.risk.paired is None:
        return None
    return Part(mine.brier - theirs.brier, theirs.risk.paired.brier, float(mine.n or 0))


def _unpaired_auc(mine: SiteFigures, theirs: SiteFigures) -> Part | None:
    first, second = area_of(mine), area_of(theirs)
    if first is None or second is None:
        return None
    weight = float((mine.patients or 0) ** 2) if mine.noised else _pairs(mine)
    return Part(first[0] - second[0], first[1] + second[1], weight)


def _pairs(figures: SiteFigures) -> float:
    events = figures.events or 0
    return float(events * ((figures.n or 0) - events))
