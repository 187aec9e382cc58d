"""The second endpoint by risk group of the primary model: life tables on the study's grid, log-rank, C-index.

The log-rank test is stratified by hospital; the hazard ratio is Peto's, from the same sums.
"""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np
from scipy.stats import chi2

from server.record import RunRecord
from server.report.curves import RiskGroup, Survival
from server.report.results import Metric
from shared.cohorts import ROLES, Role
from shared.metrics.kaplan_meier import LifeTable
from shared.metrics.tally import Floats
from shared.portrait import Prognosis, TimeCells
from shared.study import Study

Z = 1.959963984540054
GROUPS = ("low risk", "high risk")
FEWEST = 4  # edges of events that tell two times apart: from 0, one between, the last cut, the end
METHOD = (
    "life table on the declared times, from counts merged until none is small and spread evenly over their time; "
    "log-rank and Peto's hazard ratio"
)
STRATIFIED = f"{METHOD}, stratified by hospital"
OWN_C = "within the hospital, infinitesimal jackknife"
MEAN_C = "within hospitals, weighted by inverse variance"
Told = list[tuple[str, Prognosis]]


def survival_rows(study: Study, record: RunRecord) -> Iterator[Survival]:
    """Curves of both groups, of each hospital and of all together."""
    for role in ROLES[1:]:
        told = _told(study, record, role)
        for site, parts in _places(told):
            row = _curves(study, (record, role, site), parts)
            if row is not None:
                yield row


def concordance_rows(study: Study, record: RunRecord) -> Iterator[Metric]:
    """How well the primary model orders patients by the second endpoint."""
    for role in ROLES[1:]:
        yield from _withheld(study, record, role)
        for site, parts in _places(_told(study, record, role)):
            known = [part for part in parts if part.c_error > 0]
            weights = [1 / part.c_error**2 for part in known]
            value = (
                sum(w * part.c_index for w, part in zip(weights, known, strict=True)) / sum(weights) if known else None
            )
            half = Z / math.sqrt(sum(weights)) if known else 0.0
            yield Metric(
                **_where(study, record, role, site),  # type: ignore[arg-type]
                metric="c_index",
                estimate=value,
                low=None if value is None else max(value - half, 0.0),
                high=None if value is None else min(value + half, 1.0),
                n=sum(sum(part.sizes) for part in parts),
                events=sum(part.had_event for part in parts),
                method=OWN_C if site else MEAN_C,
                reason=None if known else "no pair of patients can be compared",
            )


def _withheld(study: Study, record: RunRecord, role: Role) -> Iterator[Metric]:
    """Why a hospital tells no survival of a cohort; also why nobody does, where none tells any."""
    found: dict[str | None, str] = {
        site: own.prognosis_reason
        for site, portraits in sorted(record.portraits.items())
        for own in portraits
        if own.role == role and own.prognosis is None and own.prognosis_reason
    }
    if found and not _told(study, record, role):
        found[None] = "; ".join(dict.fromkeys(found.values()))
    for site, reason in found.items():
        where = _where(study, record, role, site)
        yield Metric(**where, metric="c_index", estimate=None, n=None, events=None, reason=reason)  # type: ignore[arg-type]


def _told(study: Study, record: RunRecord, role: Role) -> Told:
    """What each hospital told, of those whose cells are of the study's grid."""
    if study.survival is None:
        return []
    end = len(study.survival.grid) - 1
    return [
        (site, own.prognosis)
        for site, portraits in sorted(record.portraits.items())
        for own in portraits
        if own.role == role and own.prognosis and all(row.edges[-1] == end for row in own.prognosis.rows)
    ]


def _places(told: Told) -> list[tuple[str | None, list[Prognosis]]]:
    by_site: dict[str, list[Prognosis]] = {}
    for site, own in told:
        by_site.setdefault(site, []).append(own)
    return [(None, [own for _, own in told]), *by_site.items()] if told else []


def _where(study: Study, record: RunRecord, role: Role, site: str | None) -> dict[str, object]:
    run = record.run
    where = {"model": study.primary, "arm": run.arm, "private": record.private, "fold": run.fold}
    return {**where, "cohort": role, "site": site}


def _curves(study: Study, place: tuple[RunRecord, Role, str | None], parts: Sequence[Prognosis]) -> Survival | None:
    """None where too few had the event for any two times to be told apart."""
    endpoint = study.survival
    assert endpoint is not None
    if all(len(row.edges) < FEWEST for part in parts for row in part.events):
        return None
    table = reduce(add, (life_table(part, endpoint.grid) for part in parts))
    observed = sum(part.events[1].total for part in parts)
    expected, variance = sum(part.expected for part in parts), sum(part.variance for part in parts)
    gap = observed - expected
    known = variance > 0
    return Survival.model_validate(
        {
            **_where(study, *place),
            "endpoint": endpoint.name,
            "unit": endpoint.unit,
            "time": endpoint.grid[:-1],
            "groups": tuple(_group(name, table, row) for row, name in enumerate(GROUPS)),
            "chi2": gap**2 / variance if known else None,
            "df": 1 if known else None,
            "p": float(chi2.sf(gap**2 / variance, 1)) if known else None,
            "hazard_ratio": _ratio(gap / variance) if known else None,
            "low": _ratio(gap / variance - Z / math.sqrt(variance)) if known else None,
            "high": _ratio(gap / variance + Z / math.sqrt(variance)) if known else None,
            "n": sum(sum(part.sizes) for part in parts),
            "events": sum(part.had_event for part in parts),
            "method": METHOD if place[2] else STRATIFIED,
            "reason": None if known else "no event in either group",
        }
    )


def _ratio(log: float) -> float:
    """Bounded, as a hospital may tell any variance."""
    return math.exp(min(max(log, -20.0), 20.0))


def life_table(part: Prognosis, grid: Sequence[float]) -> LifeTable:
    """A hospital's patients in every interval of the grid of times, which ends with infinity."""
    events, others = (np.stack([_spread(row, grid) for row in rows]) for rows in (part.events, part.others))
    left = events + others
    return LifeTable(np.cumsum(left[:, ::-1], axis=1)[:, ::-1], events, others)


def _spread(row: TimeCells, grid: Sequence[float]) -> Floats:
    """A cell's patients evenly over its time; those of the last cell, which has no end, were observed to the last."""
    below = np.concatenate([[0.0], np.cumsum(row.counts)])
    inner = np.interp(grid[:-1], [grid[edge] for edge in row.edges[:-1]], below[:-1])
    return np.diff(np.concatenate([inner, below[-1:]]))


def _group(name: str, table: LifeTable, row: int) -> RiskGroup:
    """At each time: who is still at risk, events so far, and survival with its log-log interval (Greenwood)."""
    survival = np.concatenate([[1.0], table.survival()[row, :-1]])
    events, exposed = table.events[row, :-1], (table.at_risk - table.censored / 2)[row, :-1]
    left = exposed - events
    terms = np.divide(events, exposed * left, out=np.zeros_like(exposed), where=(exposed > 0) & (left > 0))
    low, high = _band(survival, np.concatenate([[0.0], np.cumsum(terms)]))
    return RiskGroup(
        name=name,
        survival=tuple(survival.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        at_risk=tuple(round(count) for count in table.at_risk[row]),
        events=tuple(round(count) for count in np.concatenate([[0.0], np.cumsum(events)])),
        n=round(table.at_risk[row, 0]),
    )


def _band(survival: Floats, greenwood: Floats) -> tuple[Floats, Floats]:
    """Symmetric for the logarithm of the cumulated hazard, and so inside [0, 1]."""
    inner = (survival > 0) & (survival < 1)
    hazard = -np.log(np.where(inner, survival, 0.5))
    half = Z * np.sqrt(greenwood) / hazard
    low, high = np.exp(-hazard * np.exp(half)), np.exp(-hazard * np.exp(-half))
    return np.where(inner, low, survival), np.where(inner, high, survival)
