"""Patients that an external validation needs, against pmvalsampsize's printed example (Riley et al. 2021)."""

import pytest

from shared.metrics.sample_size import (
    log_odds_of,
    normal_log_odds,
    patients_for_auc,
    patients_for_ratio,
    patients_for_slope,
)


def test_the_printed_example() -> None:
    """Prevalence .018, C .8, log odds N(-5, 2.5), O:E width 1: 905, 4544, 4252; the slope there by simulation."""
    assert patients_for_ratio(0.018, 1.0) == pytest.approx(905, abs=1)
    assert patients_for_auc(0.8, 0.018) == 4252
    assert patients_for_slope(*normal_log_odds(-5, 2.5)) == pytest.approx(4544, rel=0.005)


def test_what_a_cohort_like_that_of_the_larynx_needs() -> None:
    """AUC .888 at prevalence one half: 177 for C, 385 for O:E, 1472 for the slope, 369 for one of width .4."""
    odds = log_odds_of(0.888, 0.5)
    assert patients_for_auc(0.888, 0.5) == 177
    assert patients_for_ratio(0.5) == pytest.approx(385, abs=1)
    assert patients_for_slope(*odds) == pytest.approx(1472, abs=2)
    assert patients_for_slope(*odds, width=0.4) == pytest.approx(369, abs=1)


def test_a_narrower_interval_needs_more() -> None:
    assert patients_for_auc(0.8, 0.2, 0.05) > 3.9 * patients_for_auc(0.8, 0.2, 0.1)
    assert patients_for_auc(0.8, 0.05) > patients_for_auc(0.8, 0.5)
