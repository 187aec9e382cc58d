"""Agreement, Table 1 and the Cox root from what sites send, against all patients at hand: to 1e-9."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from server.validation.group import Category, Number, joined
from shared.metrics.agreement import cohen_kappa, mcnemar
from shared.metrics.cox import Stratum, cox_regression, partial_likelihood

SEEDS, SITES = st.integers(0, 2**32 - 1), st.integers(2, 20)
CLOSE = 1e-9


def apart(chance: np.random.Generator, sites: int, n: int) -> list[np.ndarray]:
    """Rows of each site that has any."""
    number = chance.integers(0, sites, n)
    return [rows for site in range(sites) if len(rows := np.flatnonzero(number == site))]


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_kappa_and_mcnemar_from_summed_tables(seed: int, sites: int) -> None:
    chance = np.random.default_rng(seed)
    truth, first, second = (chance.random(240) < share for share in (0.4, 0.5, 0.45))
    second = np.where(chance.random(240) < 0.5, first, second)

    def table(rows: np.ndarray) -> np.ndarray:
        return np.array(
            [[np.sum((first[rows] == a) & (second[rows] == b)) for b in (True, False)] for a in (True, False)]
        )

    rows = apart(chance, sites, 240)
    found = cohen_kappa(sum(table(own) for own in rows))
    assert found is not None
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second), abs=CLOSE)
    only = [
        [int(np.sum((a[own] == truth[own]) & (b[own] != truth[own]))) for own in rows]
        for a, b in ((first, second), (second, first))
    ]
    whole = [int(np.sum((a == truth) & (b != truth))) for a, b in ((first, second), (second, first))]
    assert mcnemar(sum(only[0]), sum(only[1])) == mcnemar(*whole)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, sites=SITES)
def test_means_deviations_and_categories_of_table_one(seed: int, sites: int) -> None:
    chance = np.random.default_rng(seed)
    values, words = chance.normal(62, 11, 240), chance.integers(0, 3, 240)
    rows = [own for own in apart(chance, sites, 240) if len(own) > 1]
    kept = np.concatenate(rows)
    number = joined([Number(len(own), values[own].mean(), values[own].std(ddof=1), 0) for own in rows])
    assert isinstance(number, Number)
    assert number.mean == pytest.approx(values[kept].mean(), abs=CLOSE)
    assert number.deviation == pytest.approx(values[kept].std(ddof=1), abs=CLOSE)
    category = joined([Category(tuple(np.bincount(words[own], minlength=3).tolist()), 0) for own in rows])
    assert category == Category(tuple(np.bincount(words[kept], minlength=3).tolist()), 0)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, sites=SITES)
def test_a_cox_fit_over_sites_is_the_root_of_the_stratified_likelihood(seed: int, sites: int) -> None:
    """The pooled gradient at the fit, patient by patient from the definition, is zero: another's optimizer is not."""
    chance = np.random.default_rng(seed)
    design = chance.normal(size=(120, 2))
    time = np.ceil(chance.exponential(20 * np.exp(-0.5 * design[:, 0])))
    event = (chance.random(120) < 0.7).astype(float)
    rows = apart(chance, sites, 120)
    fit = cox_regression([Stratum(time[own], event[own], design[own]) for own in rows], efron=False)
    assert fit is not None
    gradient, information = np.zeros(2), np.zeros((2, 2))
    for own in rows:
        for i in own[event[own] == 1]:
            risk = own[time[own] >= time[i]]
            weights = np.exp(design[risk] @ fit.coefficients)
            weights /= weights.sum()
            gradient += design[i] - weights @ design[risk]
        information += partial_likelihood(Stratum(time[own], event[own], design[own]), False)(
            fit.coefficients
        ).information
    assert np.abs(np.linalg.solve(information, gradient)).max() < CLOSE
