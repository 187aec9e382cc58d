"""One figure over several hospitals from what each released by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from shared.metrics.cells import Cells
from shared.metrics.delong import logit_interval, separated_bound
from shared.metrics.noised import CELLS, NoisyTally
from shared.metrics.pooled_delong import binned_area
from shared.metrics.scores import ScoreTally
from shared.wire import SiteFigures

FEWEST_BINS = 3  # of a hospital's coarser class: with 1, 2 and 3 a curve's area is off by .13, .04 and .02 (one s.d.)
NOISED = f"from noised tallies of {CELLS} cells; the interval covers patients and noise"


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; ``value`` is None where it is undefined, with the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    reason: str = ""


def counted(figures: SiteFigures) -> int | None:
    """Units that a hospital's figures are of; where it told a noised tally only, patients, whose number is public."""
    return figures.patients if figures.noised else figures.n


def answered(figures: SiteFigures) -> bool:
    """Whether a hospital told figures of its units, and not only how many there are."""
    return bool(figures.noised or figures.measures) or figures.auc is not None or figures.brier is not None


def noisy_tally(figures: SiteFigures) -> NoisyTally | None:
    """A hospital's noised tally; None where it told exact figures, or nothing."""
    cells = figures.noised
    if cells is None or figures.patients is None:
        return None
    return NoisyTally.of(np.array([cells.others, cells.events]), cells.deviation**2, figures.patients)


def area_of(figures: SiteFigures) -> tuple[float, float] | None:
    """A hospital's AUC and its variance, exact or from a noised tally."""
    if tally := noisy_tally(figures):
        return tally.area()
    return None if figures.auc is None or figures.auc_variance is None else (figures.auc, figures.auc_variance)


def site_auc(figures: SiteFigures) -> Estimate:
    """A hospital's own AUC with its logit-DeLong interval."""
    if figures.noised:
        return _noised_auc([figures])
    if figures.auc is None or figures.auc_variance is None:
        return Estimate(None, reason=figures.reasons.get("auc") or figures.reasons.get("all", "not reported"))
    return _with_interval(figures.auc, figures.auc_variance, "DeLong, logit interval", [_classes(figures)])


def within_hospital_auc(figures: Sequence[SiteFigures]) -> Estimate:
    """The chance that of an event and a non-event *of the same hospital* the event scores higher.

    Hospitals' AUCs weighted by their pairs of patients; pooling the scores instead would mix in the differences
    between hospitals.
    """
    if any(own.noised for own in figures):
        return _noised_auc(figures)
    known = [f for f in figures if f.auc is not None and f.n is not None and f.events is not None]
    if not known:
        reasons = {reason for f in figures for reason in f.reasons.values()}
        return Estimate(None, reason=", ".join(sorted(reasons)) or "no hospital reported it")
    pairs = [float(f.events or 0) * ((f.n or 0) - (f.events or 0)) for f in known]
    shares = [weight / sum(pairs) for weight in pairs]
    auc = sum(share * (f.auc or 0.0) for share, f in zip(shares, known, strict=True))
    variance = sum(share**2 * (f.auc_variance or 0.0) for share, f in zip(shares, known, strict=True))
    method = "DeLong, logit interval" if len(known) == 1 else "within hospitals, weighted by pairs, logit interval"
    return _with_interval(auc, variance, method, [_classes(own) for own in known])


def _noised_auc(figures: Sequence[SiteFigures]) -> Estimate:
    """Within hospitals, weighted by the squares of their patients, whose classes only the noise knows."""
    known = [(own.patients or 0, part) for own in figures if own.noised and (part := area_of(own))]
    if not known:
        return Estimate(None, reason="a class does not stand out of the noise")
    total = sum(patients**2 for patients, _ in known)
    auc = sum(patients**2 * part[0] for patients, part in known) / total
    variance = sum(patients**4 * part[1] for patients, part in known) / total**2
    low, high = logit_interval(auc, variance) or (None, None)
    return Estimate(auc, low, high, NOISED)


def _classes(figures: SiteFigures) -> tuple[int, int]:
    events = figures.events or 0
    return events, (figures.n or 0) - events


def pooled_tally(figures: Sequence[SiteFigures]) -> ScoreTally | None:
    """Hospitals' score tallies together, for curves; None where nobody released one. See ``fine``.

    Each hospital merged its own small cells, so their cells differ: each is spread evenly over the finest cells that
    any of them has. On their common cells alone little would be left of two small hospitals.
    """
    tallies = tallies_of(figures)
    edges = sorted({edge for tally in tallies for edge in tally.edges})
    return reduce(add, (tally.spread(edges) for tally in tallies)) if tallies else None


def pooled_auc(figures: Sequence[SiteFigures]) -> Estimate | None:
    """AUC of hospitals' binned scores together, with their logit-DeLong interval; None without one. See ``fine``."""
    tally = pooled_tally(figures)
    if tally is None or min(tally.events.total, tally.others.total) < 2:
        return None
    areas = binned_area(np.array(tally.events.counts), np.array(tally.others.counts))
    auc, method = float(areas.auc[0]), f"pooled, {bins_of(figures)} bins or more a hospital"
    low, high = logit_interval(auc, float(areas.covariance[0, 0])) or (None, None)
    return Estimate(auc, low, high, method)


def tallies_of(figures: Sequence[SiteFigures]) -> list[ScoreTally]:
    """The tally of each hospital that released one."""
    return [
        ScoreTally(Cells(f.event_cells.edges, f.event_cells.counts), Cells(f.other_cells.edges, f.other_cells.counts))
        for f in figures
        if f.event_cells and f.other_cells
    ]


def fine(figures: Sequence[SiteFigures]) -> list[SiteFigures]:
    """Hospitals whose tally has bins enough to put its patients in an order; the few bins of others show themselves."""
    return [own for own in figures if bins_of([own]) >= FEWEST_BINS]


def bins_of(figures: Sequence[SiteFigures]) -> int:
    """Cells in the coarsest of the hospitals' tallies: how coarse a curve from them may be."""
    return min((tally.bins for tally in tallies_of(figures)), default=0)


def _with_interval(auc: float, variance: float, method: str, classes: Sequence[tuple[int, int]]) -> Estimate:
    """``classes`` are events and others of each hospital: what a perfect separation leaves possible."""
    interval = logit_interval(auc, variance)
    if interval is not None:
        return Estimate(auc, *interval, method=method)
    if auc < 1:
        return Estimate(auc, method=f"{method}; not estimable")
    pairs = sum(min(pair) for pair in classes)
    return Estimate(
        auc,
        separated_bound(pairs, pairs),
        1.0,
        "perfect separation: exact lower bound of one AUC for all, conservative",
    )
