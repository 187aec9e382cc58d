"""Rows made of portraits: survival against other programs, Table 1 against the patients together, published readers."""

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from statsmodels.duration.survfunc import SurvfuncRight

from client.prognosis import NO_GROUPS, FollowUp, prognosis
from client.site import Limits
from client.table_one import number_column
from server.record import RunRecord
from server.report.participants import Characteristic
from server.report.results import Results
from server.report.sections import plots
from server.report.view import View
from server.validation.group import Category, Number, joined
from server.validation.main_measure import main_measure
from server.validation.patterns import pattern_figures
from server.validation.portraits import characteristic_rows, cohorts_of, pattern_rows
from server.validation.readers import reader_rows
from server.validation.survival import concordance_rows, survival_rows
from shared.metrics.cells import BINS
from shared.metrics.concordance import PairCounts
from shared.portrait import CategoryColumn, PatternCount, Portrait, Removed
from shared.privacy.records import RunKey
from shared.score_cells import ClassCells
from shared.study_file import load_study
from shared.wire import SiteFigures
from tests.server.report_samples import sample_results

STUDY = load_study("lscc-staging")
ENDPOINT = STUDY.survival
assert ENDPOINT is not None
LIMITS = Limits(max_epsilon=8.0, min_cell=1, min_class=2, min_patients=2)
CHANCE = np.random.default_rng(3)


def record(portraits: dict[str, Portrait], figures: dict[str, SiteFigures]) -> RunRecord:
    return RunRecord(
        run=RunKey(study="0" * 64, fold="main", arm="federated"), private=True, trainers=(), cohorts={}, ledger=(),
        models="0" * 64, thresholds={}, figures={site: (own,) for site, own in figures.items()},
        portraits={site: (own,) for site, own in portraits.items()}, failures=(), unpublished=(), rounds=(),
        seconds=1.0,
    )  # fmt: skip


def followed(number: int) -> tuple[FollowUp, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(number)
    high = chance.random(200) < 0.5
    time = np.ceil(chance.exponential(np.where(high, 25, 80)) / 6) * 6 - chance.choice([0, 2], 200)
    event = (chance.random(200) < 0.6).astype(np.float64)
    return FollowUp(ENDPOINT, time, event), high + chance.normal(0, 0.3, 200), high


def told(high: np.ndarray, events: int = 50) -> SiteFigures:
    half, (low, up) = BINS // 2, (int((~high).sum()), int(high.sum()))
    return SiteFigures(
        model=STUDY.primary, role="external", n=len(high), events=2 * events, patients=len(high),
        auc=0.8, auc_variance=0.001,
        event_cells=ClassCells(edges=(0, half, BINS), counts=(events, events)),
        other_cells=ClassCells(edges=(0, half, BINS), counts=(low - events, up - events)),
    )  # fmt: skip


def test_survival_is_that_of_other_programs() -> None:
    sites, portraits, figures = {site: followed(n) for n, site in enumerate(("north", "south"))}, {}, {}
    for site, (follow_up, score, high) in sites.items():
        figures[site] = told(high)
        found, reason = prognosis(follow_up, figures[site], (score, high), LIMITS)
        assert found is not None, reason
        portraits[site] = Portrait(role="external", patients=200, prognosis=found)
    rows = {row.site: row for row in survival_rows(STUDY, record(portraits, figures))}
    last = ENDPOINT.cuts[-1]
    gaps, variances = [], []
    for site, (follow_up, _, high) in sites.items():
        time = np.minimum(follow_up.time, last)
        event = follow_up.event * (follow_up.time <= last)
        expected = logrank_test(time[high], time[~high], event[high], event[~high])
        assert rows[site].chi2 == pytest.approx(expected.test_statistic, rel=2e-3)  # told to four digits
        assert rows[site].p == pytest.approx(expected.p_value, rel=1e-2)
        for group, members in zip(rows[site].groups, (~high, high), strict=True):
            assert group.n == members.sum()
            for at, survival, at_risk in zip(rows[site].time[1:], group.survival[1:], group.at_risk[1:], strict=True):
                exact = SurvfuncRight(time[members], event[members])
                place = np.searchsorted(exact.surv_times, at, side="right") - 1
                assert survival == pytest.approx(exact.surv_prob[place], abs=0.012)  # censored count half an interval
                assert at_risk == (follow_up.time[members] > at).sum()
            assert all(low <= s <= up for low, s, up in zip(group.low, group.survival, group.high, strict=True))
        gaps.append(portraits[site].prognosis.events[1].total)
        variances.append(portraits[site].prognosis.variance)
    expected_sum = sum(own.prognosis.expected for own in portraits.values())
    assert rows[None].chi2 == pytest.approx((sum(gaps) - expected_sum) ** 2 / sum(variances), rel=1e-9)
    assert rows[None].hazard_ratio == pytest.approx(np.exp((sum(gaps) - expected_sum) / sum(variances)), rel=1e-9)
    assert rows[None].n == 400
    metrics = {row.site: row for row in concordance_rows(STUDY, record(portraits, figures))}
    for site, (follow_up, score, _) in sites.items():
        time, event = np.minimum(follow_up.time, last), follow_up.event * (follow_up.time <= last)
        assert metrics[site].estimate == round(PairCounts.of(time, event, score).c() or 0, 3)
    assert min(metrics[s].estimate for s in sites) <= metrics[None].estimate <= max(metrics[s].estimate for s in sites)  # type: ignore[type-var]


def test_few_patients_still_make_a_curve() -> None:
    """Of a hundred patients most intervals are merged; the curve stays near the exact one at every declared time."""
    off = []
    for number in range(20):
        follow_up, score, high = followed(number)
        few = np.arange(200) < 100
        figures = told(high[few], 20)
        found, reason = prognosis(follow_up.pick(few), figures, (score[few], high[few]), LIMITS)
        assert found is not None, reason
        assert all(count == 0 or count >= LIMITS.min_cell for row in found.rows for count in row.counts)
        portraits = {"south": Portrait(role="external", patients=100, prognosis=found)}
        row = next(row for row in survival_rows(STUDY, record(portraits, {"south": figures})) if row.site is None)
        assert row.time == (0.0, *ENDPOINT.cuts)
        for group, members in zip(row.groups, (few & ~high, few & high), strict=True):
            exact = SurvfuncRight(np.minimum(follow_up.time, 61)[members], follow_up.event[members])
            place = np.searchsorted(exact.surv_times, row.time, side="right") - 1
            off += [s - (exact.surv_prob[p] if p >= 0 else 1) for s, p in zip(group.survival, place, strict=True)]
    assert np.abs(off).mean() < 0.015
    assert np.abs(off).max() < 0.08


def test_where_no_survival_is_told_the_reason_is() -> None:
    silent = Portrait(role="external", patients=200, prognosis_reason=NO_GROUPS)
    rows = list(concordance_rows(STUDY, record({"south": silent}, {"south": told(followed(0)[2])})))
    assert [(row.cohort, row.site, row.estimate, row.reason) for row in rows] == [
        ("external", "south", None, NO_GROUPS),
        ("external", None, None, NO_GROUPS),
    ]
    results = sample_results()
    page = View(results.model_copy(update={"metrics": (*results.metrics, *rows), "survival": ()}))
    assert plots.survival(page).paragraphs == (f"External: survival by risk group is not told: {NO_GROUPS}.",)


def test_a_table_of_hospitals_is_that_of_their_patients_together() -> None:
    values = [CHANCE.normal(60, 10, n) for n in (40, 70, 25)]
    parts = [Number(len(v), float(v.mean()), float(v.std(ddof=1)), 0) for v in values]
    whole, every = joined(parts), np.concatenate(values)
    assert isinstance(whole, Number)
    assert (whole.known, whole.missing) == (135, 0)
    assert whole.mean == pytest.approx(every.mean(), rel=1e-12)
    assert whole.deviation == pytest.approx(every.std(ddof=1), rel=1e-12)
    both = joined([Category((5, 20), 0), Category((7, None), None)])
    assert both == Category((12, None), None)
    assert both.difference(Category((5, 20), 0)) is None
    assert Category((5, 20), 0).share(5) == 0.2


def portrait(role: str, female: int, missing: int | None, n: int = 100) -> Portrait:
    sex = CategoryColumn(modality="clinical", column="sex", counts=(female, n - female), missing=missing)
    number = number_column(("clinical", "age"), CHANCE.normal(60, 10, n), LIMITS)
    assert number is not None
    patterns = (PatternCount(present=("clinical", "ct"), n=n - 10), PatternCount(present=None, n=10))
    removed = (Removed(modality="ct", auc=0.7, variance=0.002),)
    values = {"role": role, "patients": n, "patterns": patterns, "numbers": (number,), "categories": (sex,)}
    return Portrait.model_validate({**values, "removed": removed, "withheld": ("bmi",)})


def test_table_one_and_patterns() -> None:
    run = record(
        {
            "north": portrait("internal", 30, 0),
            "south": portrait("external", 50, 0),
            "west": portrait("internal", 20, 0),
        },
        {},
    )
    cohorts = cohorts_of(STUDY, [run])
    rows = {(r.cohort, r.site, r.variable, r.level): r for r in characteristic_rows(STUDY, cohorts)}
    assert {r.cohort for r in rows.values()} == {"internal", "external"}
    female = rows["internal", None, "sex", "female"]
    assert (female.estimate, female.share, female.smd) == (50, 0.25, None)
    other = rows["external", "south", "sex", "female"]
    assert other.smd == pytest.approx(0.25 / np.sqrt((0.25 * 0.75 + 0.25) / 2), rel=1e-9)
    assert rows["external", "south", "sex", "male"].smd is None
    assert rows["internal", "north", "bmi", None].estimate is None
    assert rows["internal", "north", "bmi", None].reason
    age = rows["internal", None, "age", None]
    assert (age.form, age.unit, age.missing) == ("mean", "years", 0)
    patterns = {(r.cohort, r.site, r.present, r.other): r.n for r in pattern_rows(cohorts)}
    assert patterns["internal", None, "clinical+ct", False] == 180
    assert patterns["internal", None, None, True] == 20
    assert isinstance(rows["internal", "north", "age", None], Characteristic)


def test_each_modality_is_taken_away_from_the_same_patients() -> None:
    figures = SiteFigures(model=STUDY.primary, role="external", n=100, events=40, auc=0.9, auc_variance=0.001)
    rows = list(pattern_figures(STUDY, record({"south": portrait("external", 50, 0)}, {"south": figures})))
    assert {(r.site, r.present, r.removed, r.estimate, r.n, r.events) for r in rows} == {
        (site, present, True, auc, 100, 40)
        for site in (None, "south")
        for present, auc in ((STUDY.primary, 0.9), ("clinical+laryngoscopy", 0.7))
    }


def test_published_readers() -> None:
    rows = {(r.reader, r.metric): r for r in reader_rows(load_study("ggn-malignancy"))}
    kappa = rows["the paper's model", "kappa"]
    assert kappa.estimate == pytest.approx(0.7211, abs=5e-5)
    assert kappa.low is not None
    assert kappa.high is not None
    assert kappa.low < 0.7211 < kappa.high
    assert rows["the paper's model", "sensitivity"].estimate == pytest.approx(125 / 137)
    assert rows["the paper's model", "specificity"].estimate == pytest.approx(54 / 67)
    assert rows["reader 1", "accuracy"].estimate == 0.8037
    assert "no whole number of 204 patients" in rows["reader 1", "accuracy"].note
    assert rows["the paper's model", "kappa"].note.endswith("printed as 0.72")
    assert {metric: rows["VGG on CT, of the paper", metric].estimate for metric in ("sensitivity", "specificity")} == {
        "sensitivity": 0.767,
        "specificity": 0.665,
    }


@pytest.mark.parametrize(
    ("study", "measure"),
    [("lscc-staging", "auc"), ("retina-severity", "auc_macro"), ("water-level", "r2_mean"), ("uci-heart", "auc")],
)
def test_the_main_measure_is_that_of_the_outcome(study: str, measure: str) -> None:
    assert main_measure(load_study(study).outcome) == measure


def test_rows_of_a_file_stand_on_lines_of_their_own(tmp_path) -> None:
    results = sample_results()
    results.write(tmp_path)
    lines = (tmp_path / "results.json").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith('    {"model":') and '"metric":' in line for line in lines) >= len(results.metrics)
    assert Results.read(tmp_path) == results
