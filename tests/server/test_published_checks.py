"""Beside a paper's figures stands what was checked of them, and nothing else; each as precise as it was printed."""

import pytest

from server.report import wording
from server.report.results import Published, Results
from server.report.sections.plots import concordance
from server.report.sections.published import published, readers
from server.report.view import Estimate, Panel, View
from server.validation.adequacy import WEAK, published_rows
from server.validation.consistency import Printed, tables_of
from server.validation.rows import metric_rows
from shared.metrics.agreement import cohen_kappa
from shared.study import Study
from tests.server.report_studies import full_study
from tests.server.test_validation import STUDY, WHOLE


def printed(values: dict[str, float], patients: dict[str, tuple[int, int]]) -> dict[str, Published]:
    told = {name: (value, None, None) for name, value in values.items()}
    evaluation = STUDY.evaluation.model_copy(update={"published": told, "published_patients": patients})
    study: Study = STUDY.model_copy(update={"evaluation": evaluation})
    return {f"{row.metric}.{row.cohort}": row for row in published_rows(study)}


def test_an_accuracy_and_an_f1_of_thousands_are_held_against_every_table() -> None:
    """Of 6,050 stays with 1,458 deaths: without the accuracy's help there are six million tables."""
    figures = {"accuracy": Printed.of(0.9306), "f1": Printed.of(0.8688)}
    found = tables_of(6050, figures, range(1458, 1459))
    assert found
    assert all(round(sum(table.cells[::2]) / 6050, 4) == 0.9306 for table in found)
    assert all(round(table.f1 or 0, 4) == 0.8688 for table in found)


def test_what_nobody_could_look_at_is_not_called_checked() -> None:
    rows = printed({"f1.internal": 0.5}, {"internal": (100_000, 50_000)})
    assert (rows["f1.internal"].checked, rows["f1.internal"].flag) == (False, "")
    rows = printed({"accuracy.internal": 0.9, "accuracy.external": 0.9}, {"internal": (100, 50)})
    assert rows["accuracy.internal"].checked
    assert not rows["accuracy.external"].checked


@pytest.mark.parametrize(("value", "flag"), [(0.584, WEAK), (0.61, "")])
def test_a_weak_concordance_is_called_weak_whatever_its_p(value: float, flag: str) -> None:
    assert printed({"c_index.external": value}, {})["c_index.external"].flag == flag
    text = concordance(Panel("main", "external", "External"), Estimate(value, value - 0.05, value + 0.05))
    assert ("weak" in text) == bool(flag)


def test_a_printed_figure_keeps_its_decimals() -> None:
    assert [wording.printed(value, "accuracy") for value in (0.902, 0.8235, 0.75)] == ["0.902", "0.8235", "0.75"]
    assert wording.printed(0.9, "auc") == "0.900"
    assert wording.printed_range(0.833, 0.9541, "auc") == "0.833–0.9541"


def test_the_models_own_kappa_is_that_of_its_decisions() -> None:
    rows = {row.metric: row for row in metric_rows(STUDY, WHOLE) if row.site is None and row.model == "ct"}
    tally = {name: rows[name].estimate or 0.0 for name in ("sensitivity", "specificity")}
    n, events = rows["auc"].n or 0, rows["auc"].events or 0
    tp, tn = round(tally["sensitivity"] * events), round(tally["specificity"] * (n - events))
    found = cohen_kappa([[tp, n - events - tn], [events - tp, tn]])
    assert found is not None
    assert rows["kappa"].estimate == pytest.approx(found.kappa)


def with_published(**row: object) -> Results:
    values = {"metric": "auc", "cohort": "external", "estimate": 0.8, "low": None, "high": None, **row}
    return full_study().model_copy(update={"published": (Published.model_validate(values),)})


def test_a_comparator_that_is_only_pooled_stands_beside_the_papers() -> None:
    study = with_published(model="trees")
    pooled = next(row for row in study.metrics if (row.arm, row.metric, row.cohort) == ("pooled", "auc", "external"))
    own = pooled.model_copy(update={"model": "trees", "private": False, "site": None, "fold": "main"})
    cells = published(View(study.model_copy(update={"metrics": (*study.metrics, own)}))).tables[0].groups[0].rows[0]
    assert cells[2].text == wording.number(own.estimate or 0, "auc")
    assert "this run, pooled (no privacy)" in cells[2].small


def test_a_figure_of_single_hospitals_says_why_there_is_none_of_all() -> None:
    study = with_published(metric="average_precision", cohort="internal")
    metrics = tuple(row for row in study.metrics if row.metric != "average_precision")
    cells = published(View(study.model_copy(update={"metrics": metrics}))).tables[0].groups[0].rows[0]
    assert (cells[2].text, cells[2].small[0]) == (wording.DASH, "within one hospital only")


def test_the_model_stands_beside_the_readers() -> None:
    view = View(full_study())
    rows = readers(view).tables[0].groups[0].rows
    assert any(row[0].text == view.primary for row in rows)
