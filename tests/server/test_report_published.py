"""A paper's tests stand beside this run's, each found where the report has it."""

from server.report.results import Published
from server.report.sections.published import published
from server.report.view import View
from tests.server.report_studies import full_study


def test_a_published_test_between_risk_groups_stands_beside_this_runs() -> None:
    printed = Published(metric="log_rank_p", cohort="external", estimate=0.036, low=None, high=None)
    (table,) = published(View(full_study().model_copy(update={"published": (printed,)}))).tables
    name, theirs, ours, _ = table.groups[0].rows[0]
    assert name.text == "p of the log-rank test between risk groups, external"
    assert (theirs.text, ours.text) == ("0.036", "0.003")


def test_a_published_p_of_delong_stands_beside_the_planned_comparison() -> None:
    study = full_study()
    planned = next(
        row for row in study.comparisons if (row.kind, row.metric, row.site) == ("models", "auc", None) and row.p
    )
    name = {"cohort": planned.cohort, "model": planned.model_b}
    printed = Published.model_validate({"metric": "delong_p", **name, "estimate": 0.017, "low": None, "high": None})
    (table,) = published(View(study.model_copy(update={"published": (printed,)}))).tables
    told, theirs, ours, _ = table.groups[0].rows[0]
    assert told.text.startswith("p of DeLong's test")
    assert planned.model_b in told.small
    assert (theirs.text, ours.text) == ("0.017", "< 0.001")
