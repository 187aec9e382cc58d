"""The results as the report reads them: by column (arm and protection) and place (model, fold, cohort, hospital)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.report import wording
from server.report.fields import MAIN, CohortName, Where
from server.report.results import Meta, Metric, Results

W = TypeVar("W", bound=Where)
ALONE = "alone:"
ORACLE = "oracle"
ALL_FOLDS = "all"  # of a summary over left-out hospitals


@dataclass(frozen=True)
class Column:
    """How a model came to be: its arm (``alone`` stands for the mean over hospitals), and whether under privacy."""

    arm: str
    private: bool = False

    @property
    def protection(self) -> str:
        """In words, because colour alone tells nothing on paper; the oracle is not trained at all."""
        return "known truth" if self.arm == ORACLE else wording.PROTECTION[self.private]

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
class Panel:
    """One part of a figure, or one block of a table: a cohort of a fold, with its title."""

    fold: str
    cohort: CohortName
    title: str

    @property
    def key(self) -> str:
        """For the names of files: "external", or "external-north" where north was left out."""
        return self.cohort if self.fold == MAIN else f"{self.cohort}-{self.fold}"


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


SIZE = "n / events"
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
        folds = unique(row.fold for row in results.metrics) or [MAIN]
        self.parts = [fold for fold in folds if fold != MAIN and MAIN in folds]  # of a cross-validation
        self.folds = [MAIN] if self.parts else folds
        self.cohorts = sorted(
            results.cohorts, key=lambda row: self.folds.index(row.fold) if row.fold in self.folds else 0
        )
        self.left_out = self.folds != [MAIN]  # leave-one-site-out
        self.main = Column("federated", results.privacy.mechanism != "none")
        self.primary = results.study.primary
        self.measure = results.study.measure
        self.alone = unique(row.arm for row in results.metrics if row.arm.startswith(ALONE))

    @property
    def has_events(self) -> bool:
        """Whether the outcome as a whole is an event that patients have or not; of several classes none is."""
        return self.measure in ("auc", "c_index")

    @property
    def size_heading(self) -> str:
        """Over a column of ``counts``."""
        return SIZE if self.has_events else "n"

    def counts(self, n: int | None, events: int | None) -> str:
        """How many a figure is of, and with the event."""
        return wording.counts(n, events) if self.has_events or events is not None else wording.count(n)

    @property
    def counted(self) -> str:
        """What is counted: patients, or their rows where one can have several."""
        return "rows" if self.results.study.row else "patients"

    def figure(self, column: Column, place: Place, metric: str = "") -> Estimate:
        """The figure of a column at a place (the main measure unless told); what was never computed is "not run"."""
        metric = metric or self.measure
        if column.arm == ORACLE:
            return self._truth(place, metric)
        if column.arm == "alone":
            each = [self._single(Column(arm, column.private), place, metric) for arm in self.alone]
            return mean([figure for figure in each if figure.reason != wording.NOT_RUN], apart=False)
        return self._single(column, place, metric)

    def sites(self, column: Column, fold: str, cohort: CohortName) -> list[str]:
        """Hospitals with figures of their own, in the order of the results."""
        rows = self._rows[self.measure, column.arm, column.private]
        return unique(row.site for row in rows if row.site and (row.fold, row.cohort) == (fold, cohort))

    def hospitals(self) -> list[tuple[str, CohortName, str]]:
        """(fold, cohort, hospital) wherever the main column has a hospital's own figure."""
        if self.left_out:
            return [(fold, "external", fold) for fold in self.folds]
        fold = self.folds[0]
        return [(fold, cohort, site) for cohort in wording.COHORTS for site in self.sites(self.main, fold, cohort)]

    def summaries(self, metric: str, cohort: CohortName) -> list[Meta]:
        """Random-effects summaries of the primary model's main column."""
        wanted = (metric, cohort, self.primary, self.main.arm, self.main.private)
        rows = [r for r in self.results.meta if (r.metric, r.cohort, r.model, r.arm, r.private) == wanted]
        return [row for row in rows if row.fold in (MAIN, ALL_FOLDS)] or rows

    def panels(self) -> list[Panel]:
        """Each cohort that figures are drawn of; in leave-one-site-out each left-out hospital."""
        if self.left_out:
            return [Panel(fold, "external", f"{fold} left out") for fold in self.folds]
        return [Panel(self.folds[0], cohort, self.title(cohort)) for cohort in wording.COHORTS]

    def title(self, cohort: CohortName) -> str:
        """A cohort's name, and that its figures are of several models where they are."""
        crossed = f", cross-validated over {len(self.parts)} folds" if self.parts and cohort == "internal" else ""
        return f"{wording.COHORTS[cohort]}{crossed}"

    def chosen(self, rows: Sequence[W], panel: Panel) -> list[W]:
        """The main column's rows of a panel, one a model: of the cohort, or of its only hospital."""
        wanted = (self.main.arm, self.main.private, panel.fold, panel.cohort)
        found: dict[str, list[W]] = defaultdict(list)
        for row in rows:
            if (row.arm, row.private, row.fold, row.cohort) == wanted:
                found[row.model].append(row)
        several = [found[model] for model in self.models if model in found]
        return [row for own in several for row in own if row.site is None or len(own) == 1]

    def main_figure(self, panel: Panel, metric: str, model: str = "") -> Estimate:
        """The main column's figure of the primary (or another) model on a panel."""
        return self.figure(self.main, Place(model or self.primary, panel.fold, panel.cohort), metric)

    def _single(self, column: Column, place: Place, metric: str) -> Estimate:
        key = (place.model, place.fold, place.cohort)
        rows = [
            row for row in self._rows[metric, column.arm, column.private] if (row.model, row.fold, row.cohort) == key
        ]
        chosen = [row for row in rows if row.site == place.site]
        if not chosen and len(rows) == 1 and place.site in (None, place.fold):
            chosen = rows  # a cohort of one hospital: its figure is the cohort's
        if not chosen:  # where everything is withheld only the main measure has a row
            main = metric == self.measure
            whole = Estimate(None, reason=wording.NOT_RUN) if main else self._single(column, place, self.measure)
            return whole if whole.value is None else Estimate(None, reason=wording.NOT_RUN)
        row = chosen[0]
        return Estimate(row.estimate, row.low, row.high, row.n, row.events, row.reason)

    def _truth(self, place: Place, metric: str) -> Estimate:
        for row in self.results.oracle:
            if (row.model, row.fold, row.cohort, row.metric) == (place.model, place.fold, place.cohort, metric):
                return Estimate(row.estimate)
        return Estimate(None, reason="not computed")


def mean(figures: Sequence[Estimate], apart: bool) -> Estimate:
    """The plain mean of those that are defined, with their range where they differ; never weighted by patients.

    ``apart``: each is of other patients, who add up; otherwise all are of the same ones.
    """
    values = [figure.value for figure in figures if figure.value is not None]
    if not values:
        reasons = unique(figure.reason for figure in figures if figure.reason)
        return Estimate(None, reason="; ".join(reasons) or wording.NOT_RUN)
    n, events = total([figure for figure in figures if figure.value is not None], apart)
    low, high = (min(values), max(values)) if min(values) < max(values) else (None, None)
    return Estimate(sum(values) / len(values), low, high, n, events, of=len(values))


def total(figures: Sequence[Estimate], apart: bool) -> tuple[int | None, int | None]:
    """Patients and events behind several figures; None where any is unknown or the same patients differ."""
    sizes = [(figure.n, figure.events) for figure in figures if figure.n is not None]
    if len(sizes) < len(figures) or not (apart or len(set(sizes)) == 1):
        return None, None
    events = [own for _, own in sizes if own is not None]
    return (sum(n for n, _ in sizes), sum(events) if len(events) == len(sizes) else None) if apart else sizes[0]


def unique(values: Iterable[str | None]) -> list[str]:
    """Each value once, in order of first appearance, without None."""
    return list(dict.fromkeys(value for value in values if value is not None))
