"""Figures of noised tallies: right where there is no noise, and intervals that hold what they say where there is."""

import numpy as np
import pytest
from scipy.special import expit

from shared.metrics.delong import logit_interval
from shared.metrics.noised import CELLS, CENTRES, CUTS, MIDDLE, NoisyTally, noisy_counts

Z = 1.959963984540054
CUT = -0.3  # a threshold on the log odds


def patients(chance: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each has the event, and log odds that are right."""
    odds = chance.normal(-0.4, 1.3, n)
    return (chance.random(n) < expit(odds)).astype(np.float64), odds


def tally(chance: np.random.Generator, n: int, deviation: float) -> NoisyTally:
    event, odds = patients(chance, n)
    counts = noisy_counts(event, odds - CUT, np.ones(n))
    return NoisyTally.of(counts + deviation * chance.normal(size=counts.shape), deviation**2, n)


def test_the_cells_are_around_the_threshold() -> None:
    assert len(CENTRES) == CELLS == len(CUTS) + 1
    assert np.all(np.diff(CUTS) > 0)
    assert np.all((CENTRES[1:] > CUTS) & (CENTRES[:-1] < CUTS))
    below, at = noisy_counts(np.array([1.0, 1.0]), np.array([-1e-9, 0.0]), np.ones(2))[1].nonzero()[0]
    assert (below, at) == (MIDDLE - 1, MIDDLE)


def test_without_noise_the_figures_are_those_of_the_patients() -> None:
    chance = np.random.default_rng(0)
    event, odds = patients(chance, 4000)
    own = NoisyTally.of(noisy_counts(event, odds - CUT, np.ones(4000)), 0.0, 4000)
    cells = np.digitize(odds - CUT, CUTS)
    pairs = (cells[event == 1][:, None] > cells[event == 0]) + 0.5 * (cells[event == 1][:, None] == cells[event == 0])
    area, _ = own.area() or (0.0, 0.0)
    assert area == pytest.approx(pairs.mean(), abs=1e-12)
    assert (own.rate(event=True) or (0,))[0] == pytest.approx((odds[event == 1] >= CUT).mean())
    assert (own.rate(event=False) or (0,))[0] == pytest.approx((odds[event == 0] < CUT).mean())
    assert own.prevalence()[0] == pytest.approx(event.mean())
    assert abs((own.line(CUT, with_slope=False) or (9,))[0]) < 0.12
    assert abs((own.line(CUT, with_slope=True) or (9,))[0] - 1) < 0.12
    assert abs((own.ratio(CUT) or (9,))[0]) < 0.06


def test_the_public_number_of_patients_is_kept() -> None:
    own = tally(np.random.default_rng(1), 500, 4.0)
    assert own.counts.sum() == pytest.approx(500)
    both = own + tally(np.random.default_rng(2), 300, 3.0)
    assert (both.patients, both.noise) == (800, 25.0)


@pytest.mark.parametrize(("n", "deviation"), [(300, 1.5), (300, 4.0), (2000, 10.0)])
def test_intervals_cover_patients_and_noise(n: int, deviation: float) -> None:
    """Of 400 hospitals each interval holds the truth as often as it says; without its part for noise it would not."""
    chance = np.random.default_rng(3)
    event, odds = patients(chance, 400_000)
    whole = NoisyTally.of(noisy_counts(event, odds - CUT, np.ones(len(odds))), 0.0, len(odds))
    truth = _figures(whole)
    held = dict.fromkeys(truth, 0)
    bare = told = 0
    for _ in range(400):
        own = tally(chance, n, deviation)
        found = _figures(own)
        if set(found) != set(truth):
            continue
        told += 1
        for name, (value, variance) in found.items():
            held[name] += abs(value - truth[name][0]) <= Z * variance**0.5
        quiet = NoisyTally(own.counts, 0.0, own.patients)
        bare += abs((quiet.area() or (0.0, 0.0))[0] - truth["area"][0]) <= Z * (quiet.area() or (0.0, 0.0))[1] ** 0.5
        assert logit_interval(*found["area"])
    assert told > 200
    for name, count in held.items():
        assert 0.9 <= count / told <= 0.995, (name, count / told)
    if deviation > 2:
        assert bare / told < 0.9


def _figures(own: NoisyTally) -> dict[str, tuple[float, float]]:
    found = {
        "area": own.area(),
        "sensitivity": own.rate(event=True),
        "specificity": own.rate(event=False),
        "prevalence": own.prevalence(),
        "ratio": own.ratio(CUT),
        "large": own.line(CUT, with_slope=False),
    }
    return {name: part for name, part in found.items() if part is not None}


def test_what_is_lost_in_the_noise_is_not_told() -> None:
    own = tally(np.random.default_rng(4), 40, 8.0)
    assert not own.told
    assert own.area() is own.rate(event=True) is own.ratio(CUT) is own.line(CUT, with_slope=True) is own.roc() is None


def test_a_roc_curve_rises_from_corner_to_corner() -> None:
    false, true = tally(np.random.default_rng(5), 1000, 6.0).roc() or ([], [])
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, pytest.approx(1), pytest.approx(1))
    assert false == sorted(false)
    assert true == sorted(true)
