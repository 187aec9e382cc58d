"""Agreement, paired decisions, adjustment of p, published tables and regression against printed figures."""

import numpy as np
import pytest
from scipy.stats import linregress
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, r2_score, root_mean_squared_error
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.inter_rater import cohens_kappa

from server.validation.consistency import Printed, tables_of
from shared.metrics.agreement import cohen_kappa, fleiss_kappa, mcnemar
from shared.metrics.classification import ConfusionTally
from shared.metrics.comparison import holm, normal_difference
from shared.metrics.missingness import auc_by_pattern
from shared.metrics.regression import RegressionTally
from shared.metrics.table_one import mean_difference, quantile_of_bins, share_difference

# Fleiss (1971), the example of 10 subjects and 14 raters.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def test_kappa_of_two_readers() -> None:
    found = cohen_kappa([[20, 5], [10, 15]])
    assert found is not None
    assert found.kappa == pytest.approx(0.4, abs=1e-15)


def test_kappa_of_the_nodule_study() -> None:
    """125 of 137 malignant and 54 of 67 benign recognized: published .720 (J. ground-glass nodules 2024)."""
    found = cohen_kappa([[125, 12], [13, 54]])
    assert found is not None
    assert found.kappa == pytest.approx(0.7211, abs=5e-5)


@pytest.mark.parametrize("quadratic", [False, True])
def test_kappa_equals_that_of_two_other_programs(quadratic: bool) -> None:
    chance = np.random.default_rng(2)
    first = chance.integers(0, 5, 200)
    second = np.clip(first + chance.integers(-1, 2, 200), 0, 4)
    table = np.zeros((5, 5))
    np.add.at(table, (first, second), 1)
    mine, theirs = cohen_kappa(table, quadratic), cohens_kappa(table, wt="fc" if quadratic else None)
    assert mine is not None
    weights = "quadratic" if quadratic else None
    assert mine.kappa == pytest.approx(cohen_kappa_score(first, second, weights=weights), abs=1e-12)
    assert (mine.low, mine.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=1e-10)


def test_kappa_is_undefined_where_both_always_say_the_same() -> None:
    assert cohen_kappa([[30, 0], [0, 0]]) is None


def test_fleiss_kappa() -> None:
    assert fleiss_kappa(FLEISS) == pytest.approx(0.20993, abs=5e-6)


def test_mcnemar() -> None:
    """The table [[101, 121], [59, 33]], corrected: 20.6722, p 5.45e-06."""
    statistic, p = mcnemar(121, 59)
    assert (statistic, p) == (pytest.approx(20.6722, abs=5e-5), pytest.approx(5.45e-06, abs=5e-9))
    exact = their_mcnemar([[40, 3], [11, 20]], exact=True)
    assert mcnemar(3, 11) == (3.0, pytest.approx(exact.pvalue, abs=1e-12))
    assert mcnemar(0, 0) == (0.0, 1.0)
    assert mcnemar(12, 12)[1] == 1.0


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_difference_and_its_margin() -> None:
    found = normal_difference(-0.005, 0.0001)
    assert found.low == pytest.approx(-0.005 - 0.01959963984540054)
    assert found.non_inferior(0.03)
    assert not found.non_inferior(0.02)
    assert normal_difference(0.0, 0.0).p is None


def test_decisions_of_apnet() -> None:
    """APNet's only whole-number table of 51 patients: .8235, .6667, .8000, .7273."""
    table = ConfusionTally(12, 6, 30, 3)
    right = {name: value / total for name, (value, total) in table.proportions.items()}
    assert right["accuracy"] == pytest.approx(0.8235, abs=5e-5)
    assert right["ppv"] == pytest.approx(0.6667, abs=5e-5)
    assert right["sensitivity"] == pytest.approx(0.8, abs=5e-5)
    assert right["npv"] == 30 / 33
    assert table.f1 == pytest.approx(0.7273, abs=5e-5)
    assert ConfusionTally(0, 0, 9, 0).f1 is None
    printed = {"accuracy": 0.8235, "ppv": 0.6667, "sensitivity": 0.8, "f1": 0.7273}
    figures = {name: Printed(value, 5e-5) for name, value in printed.items()}
    assert tables_of(51, figures) == [table]


def test_the_nodule_study_has_a_table() -> None:
    figures = {"sensitivity": Printed(0.9124, 5e-5), "specificity": Printed(0.806, 5e-5)}
    assert tables_of(204, figures, range(137, 138)) == [ConfusionTally(125, 13, 54, 12)]


def test_an_impossible_row_has_no_table() -> None:
    """Sepsis before focal loss: at 24.1 % deaths .5917 and .7912 give an accuracy of .743, not .8736."""
    figures = {name: Printed.of(value) for name, value in (("sensitivity", 0.5917), ("specificity", 0.7912))}
    near = range(1438, 1478)  # 24.1 % of 6,050 test stays
    assert tables_of(6050, figures, near)
    assert tables_of(6050, {**figures, "accuracy": Printed.of(0.743)}, near)
    assert tables_of(6050, {**figures, "accuracy": Printed.of(0.8736)}, near) == []
    assert tables_of(100_000, {"accuracy": Printed.of(0.7)}) is None  # too many to look at


@pytest.mark.parametrize("n", [20, 51, 137])
def test_every_true_table_is_found_again(n: int) -> None:
    chance = np.random.default_rng(n)
    for _ in range(10):
        events = int(chance.integers(1, n))
        table = ConfusionTally(
            tp := int(chance.integers(0, events + 1)),
            fp := int(chance.integers(0, n - events + 1)),
            n - events - fp,
            events - tp,
        )
        shares = {name: right / total for name, (right, total) in table.proportions.items() if total}
        figures = {name: Printed(round(value, 4), 5e-5) for name, value in shares.items()}
        assert table in (tables_of(n, figures) or [])


def test_regression_equals_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(3)
    truth = chance.normal(1000, 5, 80)
    guess = 0.6 * truth + 410 + chance.normal(0, 2, 80)
    tally = RegressionTally.of(truth, guess)
    assert tally.mae == pytest.approx(mean_absolute_error(truth, guess), abs=1e-10)
    assert tally.rmse == pytest.approx(root_mean_squared_error(truth, guess), abs=1e-10)
    assert tally.r2 == pytest.approx(r2_score(truth, guess), abs=1e-8)
    line = linregress(guess, truth)
    assert tally.line == pytest.approx((line.intercept, line.slope), abs=1e-6)
    assert RegressionTally.of(np.ones(5), np.ones(5)).r2 is None


def test_quantiles_from_bins() -> None:
    edges, counts = np.array([0.0, 10, 20, 30]), np.array([10.0, 0, 30])
    assert quantile_of_bins(edges, counts, 0.125) == 5
    assert quantile_of_bins(edges, counts, 0.5) == pytest.approx(20 + 10 / 3)
    assert quantile_of_bins(edges, counts, 1.0) == 30
    assert quantile_of_bins(edges, np.array([4.0, 0, 0]), 1.0) == 10


def test_standardized_differences() -> None:
    """Austin (2009): means 1 apart at standard deviation 2; shares .3 and .5 of a binary characteristic."""
    assert mean_difference((5.0, 4.0), (4.0, 4.0)) == 0.5
    assert mean_difference((5.0, 4.0), (0.0, 0.0)) is None
    two = abs(0.3 - 0.5) / np.sqrt((0.3 * 0.7 + 0.5 * 0.5) / 2)
    assert share_difference([70, 30], [50, 50]) == pytest.approx(two)
    assert share_difference([10, 20, 30], [10, 20, 30]) == 0
    assert share_difference([10, 0], [20, 0]) is None


def test_discrimination_by_pattern_of_missing_modalities() -> None:
    outcome = np.tile([0.0, 1.0], 30)
    score = np.arange(60.0)
    both = np.arange(60) < 44
    found = auc_by_pattern(outcome, score, {"ct": np.ones(60, dtype=bool), "notes": both}, min_class=10)
    assert set(found) == {"ct+notes", "ct"}
    assert found["ct"] is None  # 16 patients, 8 of a class
    assert found["ct+notes"] is not None
    nobody = auc_by_pattern(outcome, score, {"ct": np.zeros(60, dtype=bool)}, min_class=10)
    assert list(nobody) == ["none"]
