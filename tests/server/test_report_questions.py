"""An outcome that is several questions has a line for each: what a class's AUC is, how far a horizon's error goes."""

from server.report.results import Metric, Results
from server.report.sections.models import models
from server.report.view import View
from tests.server.report_studies import full_study


def asked(names: tuple[str, ...], values: dict[str, float], events: int | None) -> Results:
    """The full study with answers of the primary model's main arm to some questions on the external cohort."""
    study, view = full_study(), View(full_study())
    place = {"model": view.primary, "arm": view.main.arm, "private": view.main.private, "cohort": "external"}
    told = {"site": None, "n": 114, "events": events, "method": "counted"}
    rows = [
        Metric.model_validate({**place, **told, "metric": f"{measure}.{name}", "estimate": value + place_of / 100})
        for place_of, name in enumerate(names)
        for measure, value in values.items()
    ]
    return study.model_copy(update={"metrics": (*study.metrics, *rows)})


def test_a_forecast_has_its_errors_by_horizon() -> None:
    results = asked(("30-min", "60-min"), {"rmse": 0.3, "mae": 0.2, "r2": 0.6}, events=None)
    table = next(table for table in models(View(results)).tables if table.key == "questions")
    assert [cell.text for cell in table.head] == [
        "Predicted",
        "R²",
        "Root mean squared error",
        "Mean absolute error",
        "n / events",
    ]
    (group,) = table.groups
    assert [[cell.text for cell in row] for row in group.rows] == [
        ["30-min", "0.600", "0.300", "0.200", "114 / –"],
        ["60-min", "0.610", "0.310", "0.210", "114 / –"],
    ]


def test_classes_have_their_auc_and_an_outcome_of_one_question_no_table() -> None:
    table = next(t for t in models(View(asked(("mild", "severe"), {"auc": 0.7}, 20))).tables if t.key == "questions")
    assert [row[0].text for row in table.groups[0].rows] == ["mild", "severe"]
    assert "questions" not in [table.key for table in models(View(full_study())).tables]
