"""How many patients a figure is of: those of the hospitals that told it, and for whom the outcome can be counted."""

import numpy as np

from server.report.page import page_sections
from server.report.results import Results
from server.report.sections.limits import absent
from server.report.sections.participants import participants
from server.report.sections.plots import discrimination, survival
from server.report.sections.summary import cohort_lines, main_lines
from server.report.view import Estimate, View, total
from server.validation.adequacy import sample_size_rows
from server.validation.curves import roc_rows
from server.validation.rows import metric_rows
from server.validation.summary import FEWEST_BINS
from shared.study_file import load_study
from tests.server.report_studies import full_study
from tests.server.test_validation import COHORTS, STUDY, WHOLE, patients, record


def test_a_figure_is_of_the_hospitals_that_told_it() -> None:
    """A hospital with nine events tells how many patients it has, and no figure: the AUC beside is not of them."""
    few = np.repeat([1.0, 0.0], [9, 91]), {model: np.linspace(-1, 1, 100) for model in STUDY.models}
    rows = [r for r in metric_rows(STUDY, record({**COHORTS, "tiny": few})) if r.model == STUDY.primary]
    told = {(r.site, r.metric): r for r in rows}
    assert (told["tiny", "auc"].estimate, told["tiny", "auc"].n) == (None, 100)
    assert (told["tiny", "prevalence"].estimate, told["tiny", "prevalence"].n) == (0.09, 100)
    for metric in ("auc", "brier", "calibration_slope", "auc_pooled"):
        whole = told[None, metric]
        assert whole.estimate is not None
        assert (whole.n, whole.events) == (750, sum(int(truth.sum()) for truth, _ in COHORTS.values()))
    sizes = list(sample_size_rows(STUDY, record({**COHORTS, "tiny": few})))
    assert {size.achieved_n for size in sizes if size.cohort == "external"} == {750}


def test_a_hospital_with_one_or_two_bins_is_not_in_a_curve() -> None:
    """Twelve events are one cell that spans all scores: a curve through it would show the cell."""
    few = patients(9, n=40)
    assert 10 <= few[0].sum() < 20
    alone, both = record({"tiny": few}), record({**COHORTS, "tiny": few})
    assert list(roc_rows(STUDY, alone)) == []
    assert all(r.metric != "auc_pooled" for r in metric_rows(STUDY, alone))
    curves, without = list(roc_rows(STUDY, both)), list(roc_rows(STUDY, WHOLE))
    assert curves == without
    assert {curve.n for curve in curves} == {750}
    assert min(curve.bins for curve in curves) >= FEWEST_BINS
    pooled = {r.n for r in metric_rows(STUDY, both) if r.metric == "auc_pooled"}
    assert pooled == {750}
    assert {r.n for r in metric_rows(STUDY, both) if r.metric == "auc" and r.site is None} == {790}


def classes() -> Results:
    """The full study as one of several classes, which are no event; its main measure a mean over them."""
    study = full_study()
    metrics = tuple(
        row.model_copy(update={"metric": "auc_macro", "events": None}) if row.metric == "auc" else row
        for row in study.metrics
    )
    told = study.study.model_copy(update={"measure": "auc_macro"})
    return study.model_copy(update={"study": told, "metrics": metrics})


def test_several_classes_are_counted_without_events() -> None:
    view = View(classes())
    assert "Events" not in [cell.text for cell in participants(view).tables[0].head]
    assert all("event" not in line for line in cohort_lines(view))
    headings = {cell.text for section in page_sections(view) for table in section.tables for cell in table.head}
    assert "n" in headings
    assert "Events" in [cell.text for cell in participants(View(full_study())).tables[0].head]
    assert any("events" in line for line in cohort_lines(View(full_study())))


def test_patients_add_up_where_there_are_no_events() -> None:
    assert total([Estimate(0.7, n=10), Estimate(0.8, n=20)], apart=True) == (30, None)
    assert total([Estimate(0.7, n=10), Estimate(0.8, n=10)], apart=False) == (10, None)
    assert total([Estimate(0.7, n=10, events=3), Estimate(0.8, n=20, events=4)], apart=True) == (30, 7)
    assert total([Estimate(0.7, n=10, events=3), Estimate(0.8)], apart=True) == (None, None)


def test_the_main_result_names_hospitals_that_are_not_in_it() -> None:
    study = full_study()
    view = View(study)
    sites = view.sites(view.main, "main", "internal")
    assert len(sites) > 1
    silent = tuple(
        row.model_copy(update={"estimate": None, "low": None, "high": None, "reason": "one class only"})
        if (row.site, row.cohort, row.metric) == (sites[0], "internal", "auc")
        else row
        for row in study.metrics
    )
    assert (
        f"Without {sites[0]}: one class only."
        in main_lines(View(study.model_copy(update={"metrics": silent})), view.main)[1]
    )
    assert all("Without" not in line for line in main_lines(view, view.main))


def test_rows_are_not_called_patients() -> None:
    study = full_study()
    told = study.study.model_copy(update={"row": "moment"})
    rows = {
        table.key: table for s in page_sections(View(study.model_copy(update={"study": told}))) for table in s.tables
    }
    assert any("each a moment" in note for note in rows["side-by-side"].notes)
    assert "Rows needed" in [cell.text for cell in rows["sample-size"].head]


def test_survival_is_not_spoken_of_where_nobody_asked() -> None:
    study = full_study()
    metrics = tuple(row for row in study.metrics if row.metric != "c_index")
    unasked = study.model_copy(update={"metrics": metrics, "survival": ()})
    assert survival(View(unasked)).empty


def test_a_forecast_is_not_asked_for_an_auc() -> None:
    forecast = STUDY.model_copy(update={"outcome": load_study("water-level").outcome})
    assert list(sample_size_rows(STUDY, WHOLE))
    assert list(sample_size_rows(forecast, WHOLE)) == []


def test_a_panel_without_a_curve_is_told_and_not_drawn() -> None:
    study = full_study()
    flat = tuple(
        row.model_copy(update={"x": (0.0, 1.0), "y": (0.0, 1.0)}) if row.cohort == "internal" else row
        for row in study.curves
    )
    section = discrimination(View(study.model_copy(update={"curves": flat})))
    assert [panel.name for panel in section.figures[0].panels] == ["roc-train", "roc-external"]
    assert section.paragraphs == ("Internal: no ROC curve, as hospitals kept too few bins of scores.",)


def test_a_report_that_draws_no_curve_at_all_says_so() -> None:
    study = full_study()
    flat = tuple(row.model_copy(update={"x": (0.0, 1.0), "y": (0.0, 1.0)}) for row in study.curves)
    view = View(study.model_copy(update={"curves": flat}))
    assert discrimination(view).empty
    assert "ROC curves (too few bins of scores)" in absent(view)
    assert absent(View(study)) == []
