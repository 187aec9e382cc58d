"""A study's main figure by arm, from its results."""

from server.report.fields import CohortName
from server.report.results import Published, Results
from server.report.view import ORACLE, Column, Estimate, Place, View, mean
from server.report.wording import NOT_RUN, TESTS
from shared.study import Study
from simulations.catalog.lines import Line

COLUMNS = {
    "oracle": Column(ORACLE),
    "pooled": Column("pooled"),
    "federated": Column("federated"),
    "private": Column("federated", True),
    "alone": Column("alone"),
}


def line_of(study: Study, results: Results, folder: str) -> Line:
    """The primary model's main measure, external where an external cohort told it; over folds their plain mean."""
    view = View(results)
    cohort: CohortName = "internal"
    for wanted in ("internal", "external"):
        if _figure(view, view.main, wanted) is not None:
            cohort = wanted
    printed = _published(results, view.measure, cohort)
    figures = {name: _figure(view, column, cohort) for name, column in COLUMNS.items()}
    return Line(
        name=study.name,
        digest=study.digest,
        folder=folder,
        seconds=round(results.timing.seconds_total, 1),
        metric=view.measure,
        cohort=cohort,
        oracle=figures["oracle"],
        pooled=figures["pooled"],
        federated=figures["federated"],
        private=figures["private"],
        alone=figures["alone"],
        published=(printed.estimate, printed.low, printed.high) if printed else None,
        published_metric=printed.metric if printed else "",
        published_cohort=printed.cohort if printed else "",
        withheld=_withheld(view, cohort),
        inferred=study.source.inferred,
        leaks=tuple(study.simulation.leak) if study.simulation else (),
        warnings=results.warnings,
    )


def _figure(view: View, column: Column, cohort: CohortName) -> float | None:
    return _estimate(view, column, cohort).value


def _withheld(view: View, cohort: CohortName) -> str:
    """Why the main figure is not told, where it was asked for."""
    reason = _estimate(view, view.main, cohort).reason
    return "" if reason in (None, NOT_RUN) else reason


def _estimate(view: View, column: Column, cohort: CohortName) -> Estimate:
    return mean([view.figure(column, Place(view.primary, fold, cohort)) for fold in view.folds], apart=True)


def _published(results: Results, metric: str, cohort: str) -> Published | None:
    """The paper's figure: of the same measure and cohort, else of the measure, else the first that it printed."""
    rows = [row for row in results.published if not row.model and row.metric not in TESTS]
    rows.sort(key=lambda row: (row.metric != metric, row.cohort != cohort))
    return rows[0] if rows else None
