"""The log-rank test from observed, expected and variance, which add up over sites: then it is stratified by site."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from shared.metrics.tally import Floats


@dataclass(frozen=True)
class LogRankSums:
    """Events observed and expected by group (groups,), and the covariance of their difference (groups, groups)."""

    observed: Floats
    expected: Floats
    covariance: Floats

    @classmethod
    def of(cls, time: Floats, event: Floats, group: Floats, groups: int) -> "LogRankSums":
        """Sums of one site's patients; ``group`` (patients,) counts from 0 and means the same everywhere."""
        times = np.unique(time[event == 1])
        later = time >= times[:, None]  # (times, patients)
        now = (time == times[:, None]) & (event == 1)
        member = np.eye(groups)[group.astype(np.int64)]
        at_risk, deaths = later @ member, now @ member  # (times, groups)
        n, d = at_risk.sum(axis=1), deaths.sum(axis=1)
        share = at_risk / n[:, None]
        scale = d * np.divide(n - d, n - 1, out=np.zeros(len(n)), where=n > 1)
        diagonal = np.diag((scale[:, None] * share).sum(axis=0))
        return cls(deaths.sum(axis=0), (d[:, None] * share).sum(axis=0), diagonal - (share.T * scale) @ share)

    def __add__(self, other: "LogRankSums") -> "LogRankSums":
        """Both sites, each compared within itself."""
        return LogRankSums(
            self.observed + other.observed, self.expected + other.expected, self.covariance + other.covariance
        )

    def test(self) -> tuple[float, int, float]:
        """(chi-squared, degrees of freedom, p); groups without an expected event do not count."""
        used = np.flatnonzero(self.expected > 0)[1:]
        gap = (self.observed - self.expected)[used]
        statistic = float(gap @ np.linalg.lstsq(self.covariance[np.ix_(used, used)], gap, rcond=None)[0])
        return statistic, len(used), float(chi2.sf(statistic, len(used)))
