"""Survival on lung, larynx, rossi and GBSG2 against R's printed output, lifelines, statsmodels and scikit-survival."""

from typing import Any

import numpy as np
import pytest

from shared.metrics.concordance import PairCounts, censored_brier, uno_c
from shared.metrics.cox import Stratum, cox_regression
from shared.metrics.kaplan_meier import LifeTable, kaplan_meier
from shared.metrics.log_rank import LogRankSums
from tests.known_answers.data import Floats, frame_of_lifelines

LUNG = frame_of_lifelines("lung")
LARYNX = frame_of_lifelines("larynx")
ROSSI = frame_of_lifelines("rossi")


def columns(frame: Any, *names: str) -> list[Floats]:
    return [frame[name].to_numpy(dtype=np.float64) for name in names]


def by_institution(frame: Any, group: Floats, groups: int) -> LogRankSums:
    """Added over the institutions: a stratified test."""
    time, event, site = columns(frame, "time", "status", "inst")
    sums = [LogRankSums.of(time[site == s], event[site == s], group[site == s], groups) for s in np.unique(site)]
    return sum(sums[1:], sums[0])


def test_survival_of_lung_cancer() -> None:
    """R: survfit(Surv(time, status) ~ 1, lung): 228 patients, 165 deaths, median 310 (285, 363); by sex 270 and 426."""
    time, event, sex = columns(LUNG, "time", "status", "sex")
    curve = kaplan_meier(time, event)
    assert (len(time), event.sum()) == (228, 165)
    assert curve.median() == 310
    assert curve.median_interval() == (285, 363)
    assert curve.at(365) == pytest.approx(0.4092416, abs=5e-8)
    assert [kaplan_meier(time[sex == s], event[sex == s]).median() for s in (1, 2)] == [270, 426]
    assert curve.at(0) == 1
    assert kaplan_meier(time, 0 * event).median() is None


def test_the_log_rank_test_of_sex() -> None:
    """R: survdiff(Surv(time, status) ~ sex, lung): 112 / 91.6 and 53 / 73.4, chi-squared 10.3."""
    time, event, sex = columns(LUNG, "time", "status", "sex")
    sums = LogRankSums.of(time, event, sex - 1, 2)
    assert sums.observed.tolist() == [112, 53]
    assert sums.expected == pytest.approx([91.6, 73.4], abs=0.05)
    statistic, freedom, p = sums.test()
    assert (statistic, freedom) == (pytest.approx(10.3267, abs=5e-5), 1)
    assert p == pytest.approx(0.00131, abs=5e-6)


def test_the_stratified_log_rank_tests() -> None:
    """strata(inst): sex 8.52447, p .003504 (unstratified 10.20566); pat.karno 21.36845 on 7, p .003261 (R: 21.4)."""
    known = LUNG.dropna(subset=["inst"])
    time, event, sex = columns(known, "time", "status", "sex")
    statistic, _, p = by_institution(known, sex - 1, 2).test()
    assert (len(known), statistic, p) == (227, pytest.approx(8.52447, abs=5e-6), pytest.approx(0.003504, abs=5e-7))
    assert LogRankSums.of(time, event, sex - 1, 2).test()[0] == pytest.approx(10.20566, abs=5e-6)
    known = LUNG.dropna(subset=["inst", "pat.karno"])
    levels = np.unique(known["pat.karno"], return_inverse=True)[1].astype(np.float64)
    statistic, freedom, p = by_institution(known, levels, 8).test()
    assert (len(known), freedom) == (224, 7)
    assert (statistic, p) == pytest.approx((21.36845, 0.003261), abs=5e-6)


def test_cox_regression_of_lung_cancer() -> None:
    known = LUNG.dropna(subset=["ph.ecog"])
    time, event, *design = columns(known, "time", "status", "age", "sex", "ph.ecog")
    fit = cox_regression([Stratum(time, event, np.stack(design, axis=1))])
    assert fit is not None
    assert fit.coefficients == pytest.approx([0.011067, -0.552610, 0.463728], abs=3e-6)
    assert 2 * (fit.likelihood - fit.start) == pytest.approx(30.50, abs=5e-3)
    counts = PairCounts.of(time, event, np.stack(design, axis=1) @ fit.coefficients)
    assert counts.c() == pytest.approx(0.6371, abs=1e-4)


def test_laryngeal_cancer() -> None:
    """Klein and Moeschberger's 90 patients: log-rank by stage, Cox by Efron and by Breslow, C by stage."""
    time, event, two, three, four, age = columns(LARYNX, "time", "death", "Stage_II", "Stage_III", "Stage_IV", "age")
    stage = two + 2 * three + 3 * four
    assert np.bincount(stage.astype(int)).tolist() == [33, 17, 27, 13]
    statistic, freedom, p = LogRankSums.of(time, event, stage, 4).test()
    assert (statistic, freedom, p) == (pytest.approx(22.762757, abs=5e-7), 3, pytest.approx(4.525e-05, abs=5e-9))
    early = LogRankSums.of(time, event, (stage >= 2).astype(np.float64), 2).test()
    assert (early[0], early[2]) == pytest.approx((10.131330, 0.0014577), abs=5e-7)
    design = np.stack([two, three, four, age], axis=1)
    efron, breslow = (cox_regression([Stratum(time, event, design)], efron=ties) for ties in (True, False))
    assert efron is not None
    assert breslow is not None
    assert efron.coefficients == pytest.approx([0.1400, 0.6424, 1.7060, 0.0190], abs=5e-5)
    assert breslow.coefficients == pytest.approx([0.1386, 0.6383, 1.6931, 0.0189], abs=5e-5)
    assert efron.likelihood == pytest.approx(-187.70736, abs=5e-6)
    assert 2 * (efron.likelihood - efron.start) == pytest.approx(18.3122, abs=5e-5)
    assert PairCounts.of(time, event, design @ efron.coefficients).c() == pytest.approx(0.68188, abs=5e-6)
    counts = PairCounts.of(time, event, stage)
    assert (counts.concordant, counts.discordant, counts.tied) == (1527, 576, 734)
    assert counts.c() == pytest.approx(0.667607, abs=5e-7)


def test_recidivism() -> None:
    names = ("fin", "age", "race", "wexp", "mar", "paro", "prio")
    time, event, *design = columns(ROSSI, "week", "arrest", *names)
    fit = cox_regression([Stratum(time, event, np.stack(design, axis=1))])
    assert fit is not None
    known = [-0.37942, -0.05744, 0.31390, -0.14980, -0.43370, -0.08487, 0.09150]
    assert fit.coefficients == pytest.approx(known, abs=5e-6)
    assert fit.likelihood == pytest.approx(-658.74766, abs=5e-6)
    assert 2 * (fit.likelihood - fit.start) == pytest.approx(33.26595, abs=5e-6)
    c = PairCounts.of(time, event, np.stack(design, axis=1) @ fit.coefficients).c()
    assert c == pytest.approx(0.64033, abs=5e-6)


def test_stratified_cox_equals_that_of_lifelines() -> None:
    from lifelines import CoxPHFitter

    known = LUNG.dropna(subset=["inst", "ph.ecog"])[["time", "status", "inst", "age", "sex", "ph.ecog"]]
    many = known[known.groupby("inst").inst.transform("size") > 4]
    strata = []
    for _, site in many.groupby("inst"):
        time, event, *design = columns(site, "time", "status", "age", "sex", "ph.ecog")
        strata.append(Stratum(time, event, np.stack(design, axis=1)))
    fit = cox_regression(strata)
    theirs = CoxPHFitter().fit(many, "time", "status", strata=["inst"], fit_options={"precision": 1e-12})
    assert fit is not None
    assert fit.coefficients == pytest.approx(theirs.params_.to_numpy(), abs=1e-8)
    assert fit.errors == pytest.approx(theirs.standard_errors_.to_numpy(), abs=1e-8)


def gbsg2() -> tuple[Floats, Floats, Floats, Floats]:
    """Time, event, hormone therapy, and the Cox risk of eight features, of 686 patients with breast cancer."""
    frame = frame_of_lifelines("gbsg2")
    time, event, *numbers = columns(frame, "time", "cens", "age", "tsize", "pnodes", "progrec", "estrec")
    hormone = (frame.horTh == "yes").to_numpy(dtype=np.float64)
    menopause = (frame.menostat == "Post").to_numpy(dtype=np.float64)
    grade = frame.tgrade.map({"I": 1, "II": 2, "III": 3}).to_numpy(dtype=np.float64)
    design = np.stack([hormone, menopause, grade, *numbers], axis=1)
    fit = cox_regression([Stratum(time, event, design)])
    assert fit is not None
    return time, event, hormone, design @ fit.coefficients


def test_breast_cancer() -> None:
    """log-rank 8.564781, p .0034273; C .6879283 of 91,544 concordant and 41,528 discordant pairs; Uno .6740729."""
    time, event, hormone, risk = gbsg2()
    statistic, _, p = LogRankSums.of(time, event, hormone, 2).test()
    assert (statistic, p) == pytest.approx((8.564781, 0.0034273), abs=5e-7)
    counts = PairCounts.of(time, event, risk)
    assert (counts.concordant, counts.discordant) == (91_544, 41_528)
    assert counts.c() == pytest.approx(0.6879283, abs=5e-8)
    assert uno_c(time, event, risk) == pytest.approx(0.6740729, abs=5e-8)


def test_concordance_equals_that_of_scikit_survival() -> None:
    from sksurv.metrics import brier_score, concordance_index_censored, concordance_index_ipcw
    from sksurv.util import Surv

    time, event, _, risk = gbsg2()
    truth, rounded = Surv.from_arrays(event == 1, time), np.round(risk, 1)
    for score in (risk, rounded):
        counts = PairCounts.of(time, event, score)
        theirs = concordance_index_censored(event == 1, time, score)
        assert (counts.concordant, counts.discordant, counts.tied) == theirs[1:4]
        assert counts.c() == pytest.approx(theirs[0], abs=1e-12)
        assert uno_c(time, event, score) == pytest.approx(concordance_index_ipcw(truth, truth, score)[0], abs=1e-12)
        early = concordance_index_ipcw(truth, truth, score, tau=1000.0)[0]
        assert uno_c(time, event, score, 1000.0) == pytest.approx(early, abs=1e-12)
    alive = 1 / (1 + np.exp(risk))
    for horizon in (365.0, 730.0, 1460.0):
        theirs = brier_score(truth, truth, alive[:, None], [horizon])[1][0]
        assert censored_brier(time, event, alive, horizon) == pytest.approx(theirs, abs=1e-12)


def test_the_error_of_c_is_that_of_a_bootstrap() -> None:
    time, event, stage, age = columns(LARYNX, "time", "death", "Stage_IV", "age")
    risk = stage + age / 50
    chance = np.random.default_rng(1)
    found = []
    for _ in range(400):
        rows = chance.integers(0, len(time), len(time))
        found.append(PairCounts.of(time[rows], event[rows], risk[rows]).c())
    assert PairCounts.of(time, event, risk).error() == pytest.approx(np.std(found), rel=0.15)


@pytest.mark.parametrize(("days", "most"), [(7, 0.002), (30, 0.009), (90, 0.01), (180, 0.025)])
def test_a_life_table_is_near_the_curve(days: int, most: float) -> None:
    time, event, sex = columns(LUNG, "time", "status", "sex")
    edges = np.arange(0, 1100 + days, days, dtype=np.float64)
    table = LifeTable.of(time, event, sex - 1, 2, edges).survival()
    for group in (0, 1):
        curve = kaplan_meier(time[sex == group + 1], event[sex == group + 1])
        assert np.abs(table[group] - [curve.at(edge) for edge in edges[1:]]).max() < most
