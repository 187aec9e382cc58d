"""The results as the report reads them: by column (arm and protection) and place (model, fold, cohort, hospital)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.report.curves import Curve
from server.report.fields import MAIN, CohortName
from server.report.results import Metric, Results
from server.report.wording import NOT_RUN, PROTECTION

ALONE = "alone:"
ORACLE = "oracle"


@dataclass(frozen=True)
class Column:
    """How a model came to be: its arm (``alone`` stands for the mean over hospitals), and whether under privacy."""

    arm: str
    private: bool = False

    @property
    def protection(self) -> str:
        """In words, because colour alone tells nothing on paper; the oracle is not trained at all."""
        return "known truth" if self.arm == ORACLE else PROTECTION[self.private]

    @property
    def text(self) -> str:
        """The column in one line."""
        return f"{self.arm} ({self.protection})"


@dataclass(frozen=True)
class Place:
    """What a figure is of; ``site`` None is the cohort pooled over its hospitals."""

    model: str
    fold: str
    cohort: CohortName
    site: str | None = None


@dataclass(frozen=True)
class Estimate:
    """A figure, or the reason for there being none; ``of`` > 0 is a mean of so many, its low and high their range."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    events: int | None = None
    reason: str | None = None
    of: int = 0


ORDER = (ORACLE, "pooled", "federated", "alone")


class View:
    """Read access to results; nothing is computed but means over hospitals."""

    def __init__(self, results: Results) -> None:
        """Index the results; folds, models and hospitals keep the order of their first row."""
        self.results = results
        self._rows: dict[tuple[str, str, bool], list[Metric]] = defaultdict(list)
        for row in results.metrics:
            self._rows[row.metric, row.arm, row.private].append(row)
        trained = {(row.arm.split(":")[0], row.private) for row in results.metrics}
        columns = [Column(arm, private) for arm in ORDER for private in (False, True) if (arm, private) in trained]
        self.columns = [Column(ORACLE)] * bool(results.oracle) + columns
        self.models = unique(row.model for row in results.metrics)
        self.folds = unique(row.fold for row in results.metrics) or [MAIN]
        self.left_out = self.folds != [MAIN]  # leave-one-site-out
        self.main = Column("federated", results.privacy.mechanism != "none")
        self.primary = results.study.primary
        self.alone = unique(row.arm for row in results.metrics if row.arm.startswith(ALONE))

    def figure(self, column: Column, place: Place, metric: str = "auc") -> Estimate:
        """The figure of a column at a place; what was never computed is undefined as "not run"."""
        if column.arm == ORACLE:
            return self._truth(place, metric)
        if column.arm == "alone":
            each = [self._single(Column(arm, column.private), place, metric) for arm in self.alone]
            return mean([figure for figure in each if figure.reason != NOT_RUN], apart=False)
        return self._single(column, place, metric)

    def sites(self, column: Column, fold: str, cohort: CohortName) -> list[str]:
        """Hospitals with figures of their own, in the order of the results."""
        rows = self._rows["auc", column.arm, column.private]
        return unique(row.site for row in rows if row.site and (row.fold, row.cohort) == (fold, cohort))

    def curves(self, fold: str, cohort: CohortName) -> list[Curve]:
        """The main column's ROC curves of a cohort, one a model: pooled, or its only hospital's."""
        wanted = (self.main.arm, self.main.private, fold, cohort)
        found: dict[str, list[Curve]] = defaultdict(list)
        for row in self.results.curves:
            if (row.arm, row.private, row.fold, row.cohort) == wanted:
                found[row.model].append(row)
        several = [found[model] for model in self.models]
        return [row for rows in several for row in rows if row.site is None or len(rows) == 1]

    def _single(self, column: Column, place: Place, metric: str) -> Estimate:
        key = (place.model, place.fold, place.cohort)
        rows = [
            row for row in self._rows[metric, column.arm, column.private] if (row.model, row.fold, row.cohort) == key
        ]
        chosen = [row for row in rows if row.site == place.site]
        if not chosen and len(rows) == 1 and place.site in (None, place.fold):
            chosen = rows  # a cohort of one hospital: its figure is the cohort's
        if not chosen:
            return Estimate(None, reason=NOT_RUN)
        row = chosen[0]
        return Estimate(row.estimate, row.low, row.high, row.n, row.events, row.reason)

    def _truth(self, place: Place, metric: str) -> Estimate:
        for row in self.results.oracle:
            if (row.model, row.fold, row.cohort, row.metric) == (place.model, place.fold, place.cohort, metric):
                return Estimate(row.estimate)
        return Estimate(None, reason="not computed")


def mean(figures: Sequence[Estimate], apart: bool) -> Estimate:
    """The plain mean of those that are defined, with their range; never weighted by patients.

    ``apart``: each is of other patients, who add up; otherwise all are of the same ones.
    """
    values = [figure.value for figure in figures if figure.value is not None]
    if not values:
        reasons = unique(figure.reason for figure in figures if figure.reason)
        return Estimate(None, reason="; ".join(reasons) or NOT_RUN)
    n, events = total([figure for figure in figures if figure.value is not None], apart)
    return Estimate(sum(values) / len(values), min(values), max(values), n, events, of=len(values))


def total(figures: Sequence[Estimate], apart: bool) -> tuple[int | None, int | None]:
    """Patients and events behind several figures; None where any is unknown or the same patients differ."""
    sizes = [(figure.n, figure.events) for figure in figures if figure.n is not None and figure.events is not None]
    if len(sizes) < len(figures) or not (apart or len(set(sizes)) == 1):
        return None, None
    return (sum(n for n, _ in sizes), sum(events for _, events in sizes)) if apart else sizes[0]


def unique(values: Iterable[str | None]) -> list[str]:
    """Each value once, in order of first appearance, without None."""
    return list(dict.fromkeys(value for value in values if value is not None))
