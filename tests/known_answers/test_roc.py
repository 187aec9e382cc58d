"""Paired, unpaired, clustered and multiclass AUCs against pROC's constants and two independent implementations."""

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import average_precision_score, roc_auc_score

from shared.metrics.bootstrap import average_precision, draws, percentile_interval, weighted_auc, weighted_precision
from shared.metrics.comparison import normal_difference
from shared.metrics.delong import clustered_auc, paired_auc, separated_bound
from shared.metrics.multiclass import hand_till, one_against_rest
from tests.known_answers.data import asah, table_of_dcurves

# Constants of pROC's own tests (tests/testthat, version 1.19.0.1; Robin et al. 2011).
COVARIANCES = {
    ("wfns", "ndka"): -0.000532967856762438,
    ("ndka", "s100b"): -0.000756164938056579,
    ("s100b", "wfns"): 0.00119615567376754,
}
TESTS = {
    ("wfns", "s100b"): (2.20898359144091, 0.0271757822291882),
    ("wfns", "ndka"): (2.79777591868904, 0.00514557970691098),
    ("ndka", "s100b"): (-1.39077002573558, 0.164295175223054),
}


@pytest.mark.parametrize("pair", COVARIANCES)
def test_covariances_equal_those_of_proc(pair: tuple[str, str]) -> None:
    outcome, markers, _ = asah()
    areas = paired_auc(outcome, np.stack([markers[name] for name in pair]))
    assert areas.covariance[0, 1] == pytest.approx(COVARIANCES[pair], abs=1e-14)


@pytest.mark.parametrize("pair", TESTS)
def test_paired_tests_equal_those_of_proc(pair: tuple[str, str]) -> None:
    outcome, markers, _ = asah()
    areas = paired_auc(outcome, np.stack([markers[name] for name in pair]))
    contrast = np.array([1.0, -1.0])
    found = normal_difference(float(contrast @ areas.auc), float(contrast @ areas.covariance @ contrast))
    assert (found.z, found.p) == pytest.approx(TESTS[pair], abs=1e-12)
    if pair == ("wfns", "s100b"):
        assert (found.low, found.high) == pytest.approx((0.0104061769564846, 0.174214419249478), abs=1e-12)


def test_the_unpaired_test_equals_that_of_proc() -> None:
    """Two samples of 113 each: D with Satterthwaite's degrees of freedom."""
    outcome, markers, _ = asah()
    first, second = (paired_auc(outcome, markers[name][None]) for name in ("wfns", "s100b"))
    parts = np.array([first.covariance[0, 0], second.covariance[0, 0]])
    d = float(first.auc[0] - second.auc[0]) / parts.sum() ** 0.5
    freedom = parts.sum() ** 2 / np.sum(parts**2 / 112)
    assert (d, freedom) == pytest.approx((1.43490640926908, 206.661), abs=5e-4)
    assert d == pytest.approx(1.43490640926908, abs=1e-12)
    assert 2 * t.sf(d, freedom) == pytest.approx(0.152825378808796, abs=1e-12)


def test_the_decisions_at_a_cut_of_s100b() -> None:
    outcome, markers, _ = asah()
    positive = markers["s100b"] > 0.205
    assert positive[outcome == 1].mean() == pytest.approx(0.634146, abs=5e-7)
    assert 1 - positive[outcome == 0].mean() == pytest.approx(0.805556, abs=5e-7)


def test_the_multiclass_auc_of_a_marker_equals_that_of_proc() -> None:
    """multiclass.roc(gos6 ~ s100b)."""
    _, markers, rows = asah()
    classes = np.unique([row["gos6"] for row in rows], return_inverse=True)[1]
    assert hand_till(classes, markers["s100b"]) == pytest.approx(0.6539999352, abs=5e-11)


def test_the_auc_of_a_subgroup_equals_that_of_proc() -> None:
    outcome, markers, rows = asah()
    women = np.array([row["gender"] == "Female" for row in rows])
    areas = paired_auc(outcome[women], markers["ndka"][women][None])
    half = 1.959963984540054 * areas.covariance[0, 0] ** 0.5
    found = (areas.auc[0], areas.auc[0] - half, areas.auc[0] + half)
    assert found == pytest.approx((0.6671428571, 0.5261398281, 0.8081458862), abs=1e-10)


def test_free_data_give_what_two_other_programs_give() -> None:
    """df_binary of dcurves; constants from MLstatkit 0.1.91 and scikit-learn."""
    from MLstatkit import Delong_test

    data = table_of_dcurves("df_binary.csv")
    names = ("cancerpredmarker", "marker", "age")
    areas = paired_auc(data["cancer"], np.stack([data[name] for name in names]))
    assert areas.auc == pytest.approx([0.8606275378368, 0.708748615725360, 0.765669988925803], abs=1e-12)
    half = 1.959963984540054 * np.sqrt(np.diag(areas.covariance))
    assert areas.auc - half == pytest.approx([0.821926847073867, 0.649521, areas.auc[2] - half[2]], abs=5e-7)
    variance = float(areas.covariance[0, 0] + areas.covariance[1, 1] - 2 * areas.covariance[0, 1])
    found = normal_difference(float(areas.auc[0] - areas.auc[1]), variance)
    assert found.z == pytest.approx(5.376978700925183, abs=1e-10)
    assert found.p == pytest.approx(7.5746e-08, rel=1e-4)
    theirs = Delong_test(data["cancer"].astype(int), data["cancerpredmarker"], data["marker"])
    assert (abs(float(theirs[0])), float(theirs[1])) == pytest.approx((found.z, found.p), rel=1e-8)


def test_hand_till_equals_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(4)
    outcome = chance.integers(0, 4, 300)
    scores = np.exp(chance.normal(size=(4, 300)) + 0.8 * (outcome == np.arange(4)[:, None]))
    scores = np.round(scores / scores.sum(axis=0), 3)
    scores[3] = 1 - scores[:3].sum(axis=0)
    assert hand_till(outcome, scores) == pytest.approx(roc_auc_score(outcome, scores.T, multi_class="ovo"), abs=1e-12)
    each, variance, macro = one_against_rest(outcome, scores)
    theirs = roc_auc_score(outcome, scores.T, multi_class="ovr", average=None)
    assert each == pytest.approx(theirs, abs=1e-12)
    assert macro[0] == pytest.approx(np.mean(theirs), abs=1e-12)
    assert 0 < macro[1] < variance.max()


def test_the_macro_variance_of_two_classes_is_that_of_either() -> None:
    """With two classes and opposite scores both AUCs are one and the same."""
    chance = np.random.default_rng(5)
    outcome = chance.integers(0, 2, 80)
    score = chance.normal(size=80) + outcome
    _, variance, macro = one_against_rest(outcome, np.stack([-score, score]))
    assert macro[1] == pytest.approx(variance[0], rel=1e-12)
    assert variance[0] == pytest.approx(variance[1], rel=1e-12)


def test_clusters_of_one_row_are_no_clusters_and_copies_add_no_information() -> None:
    chance = np.random.default_rng(6)
    outcome = (np.arange(60) % 3 == 0).astype(np.float64)
    scores = chance.normal(size=(2, 60)) + outcome
    plain = paired_auc(outcome, scores)
    own = clustered_auc(outcome, scores, np.arange(60))
    assert own.covariance == pytest.approx(plain.covariance, abs=1e-15)
    copied = clustered_auc(np.tile(outcome, 9), np.tile(scores, 9), np.tile(np.arange(60), 9))
    assert copied.auc == pytest.approx(plain.auc, abs=1e-12)
    assert copied.covariance == pytest.approx(plain.covariance, abs=1e-12)
    naive = paired_auc(np.tile(outcome, 9), np.tile(scores, 9))
    assert naive.covariance[0, 0] < plain.covariance[0, 0] / 8


def test_clusters_with_both_classes_by_hand() -> None:
    """Obuchowski (1997), eq. 2 to 5, written out in loops."""
    chance = np.random.default_rng(7)
    patient = np.repeat(np.arange(12), 5)
    outcome = chance.integers(0, 2, 60).astype(np.float64)
    score = np.round(chance.normal(size=60) + outcome + chance.normal(size=12)[patient], 1)
    x, y = score[outcome == 1], score[outcome == 0]
    beats = [[(a > b) + 0.5 * (a == b) for b in y] for a in x]
    v10, v01 = np.mean(beats, axis=1), np.mean(beats, axis=0)
    area, m, n, total = float(np.mean(beats)), len(x), len(y), 12
    px, py = patient[outcome == 1], patient[outcome == 0]
    ten = [sum(v10[px == i] - area) for i in range(total)]
    one = [sum(v01[py == i] - area) for i in range(total)]
    i10, i01 = len(set(px.tolist())), len(set(py.tolist()))
    s10 = i10 / ((i10 - 1) * m) * sum(value**2 for value in ten)
    s01 = i01 / ((i01 - 1) * n) * sum(value**2 for value in one)
    s11 = total / (total - 1) * sum(a * b for a, b in zip(ten, one, strict=True))
    found = clustered_auc(outcome, score[None], patient)
    assert found.auc[0] == pytest.approx(area, abs=1e-14)
    assert found.covariance[0, 0] == pytest.approx(s10 / m + s01 / n + 2 * s11 / (m * n), abs=1e-14)


def test_a_class_at_one_patient_has_no_clustered_variance() -> None:
    with pytest.raises(ValueError, match="two patients"):
        clustered_auc([1, 1, 0, 0, 0], np.array([[3.0, 2.0, 1.0, 0.0, 0.5]]), [1, 1, 2, 3, 4])


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_weights_of_a_resample_are_copies_of_patients(decimals: int) -> None:
    chance = np.random.default_rng(8)
    outcome = (np.arange(50) % 4 == 0).astype(np.float64)
    score = np.round(chance.normal(size=50) + outcome, decimals)
    weights = draws(outcome, chance, replicates=20)
    assert np.all(outcome @ weights == outcome.sum())
    assert np.all(weights.sum(axis=0) == 50)
    copies = [np.repeat(np.arange(50), drawn.astype(int)) for drawn in weights.T]
    aucs = [roc_auc_score(outcome[rows], score[rows]) for rows in copies]
    precisions = [average_precision_score(outcome[rows], score[rows]) for rows in copies]
    assert weighted_auc(outcome, score, weights) == pytest.approx(aucs, abs=1e-6)
    assert weighted_precision(outcome, score, weights) == pytest.approx(precisions, abs=1e-6)
    assert average_precision(outcome, score) == pytest.approx(average_precision_score(outcome, score), abs=1e-12)


def test_rows_of_a_patient_are_drawn_together() -> None:
    chance = np.random.default_rng(9)
    patient = np.repeat(np.arange(10), 4)
    outcome = np.repeat(np.arange(10) % 2, 4) * (np.arange(40) % 3 > 0)
    weights = draws(outcome.astype(np.float64), chance, 100, patient)
    by_patient = weights.reshape(10, 4, 100)
    assert np.all(by_patient == by_patient[:, :1])
    assert np.all(by_patient[1::2, 0].sum(axis=0) == 5)


def test_the_bootstrap_interval_is_near_that_of_delong() -> None:
    data = table_of_dcurves("df_binary.csv")
    outcome, score = data["cancer"], data["cancerpredmarker"]
    interval = percentile_interval(weighted_auc(outcome, score, draws(outcome, np.random.default_rng(0))))
    assert interval == pytest.approx((0.8219, 0.8993), abs=0.006)


def test_the_bound_at_separation_is_where_it_would_be_rare() -> None:
    assert separated_bound(10, 40) ** 10 == pytest.approx(0.025)
    assert separated_bound(40, 10) == separated_bound(10, 40)
