"""The single-step audit: is a patient in this update? Asked over and over, right guesses bound epsilon from below."""

from dataclasses import dataclass

import numpy as np

from shared.privacy.accounting import gaussian_epsilon
from shared.privacy.mechanism import StagePlan
from simulations.audit.bounds import noticed_epsilon, step_epsilon
from simulations.audit.canaries import Neighbours, candidates, neighbours
from simulations.audit.findings import Finding, epsilon_verdict
from simulations.audit.release import Target, noiseless, with_steps

ATTACK = "canary, one step"
DRAWS = 20  # by which the noise of neighbours is compared
NEARLY = 0.9


@dataclass(frozen=True)
class Stakes:
    """At which delta epsilon is stated, and how often a bound may be wrong."""

    delta: float
    error: float


def worst_pair(target: Target, plan: StagePlan, rng: np.random.Generator) -> Neighbours:
    """The neighbours whose releases lie furthest apart for their noise; of nearly equal ones the first."""
    single, exact = with_steps(target, 1), noiseless(plan)
    pairs = list(neighbours(single, candidates(single, plan, rng), rng))
    noise = {pair.what: _noise(single, pair, plan) for pair in {pair.what: pair for pair in pairs}.values()}
    gaps = [
        float(np.linalg.norm(single.release(p.whole, exact) - single.release(p.emptied, exact))) / noise[p.what]
        for p in pairs
    ]
    return next(pair for pair, gap in zip(pairs, gaps, strict=True) if gap >= NEARLY * max(gaps))


def _noise(single: Target, pair: Neighbours, plan: StagePlan) -> float:
    """Standard deviation of the noise in clips, as it is and not as it should be."""
    without = single.release(pair.emptied, noiseless(plan))
    errors = [single.release(pair.emptied, plan) - without for _ in range(DRAWS)]
    return max(float(np.sqrt(np.mean(np.square(errors)))), 1e-9)


def play(target: Target, pair: Neighbours, plan: StagePlan | None, trials: int, rng: np.random.Generator) -> int:
    """Right guesses in so many steps: a coin leaves the patient out, the update is projected on what he would add."""
    single, exact = with_steps(target, 1), noiseless(plan)
    without = single.release(pair.emptied, exact)
    direction = single.release(pair.whole, exact) - without
    half = direction @ direction / 2  # halfway between the two noiseless releases: fixed before any trial
    right = 0
    for coin in rng.integers(0, 2, trials):
        update = single.release(pair.whole if coin else pair.emptied, plan) - without
        right += bool(update @ direction > half) == bool(coin)
    return right


def single_step(
    target: Target, pair: Neighbours, plan: StagePlan | None, trials: int, stakes: Stakes, rng: np.random.Generator
) -> Finding:
    """One line of the audit: the epsilon of a single step; ``plan`` None is training without privacy."""

    def shown(right: int) -> float:
        return step_epsilon(right, trials, stakes.delta, stakes.error)

    right = play(target, pair, plan, trials, rng)
    value = shown(right)
    declared = gaussian_epsilon(1 / plan.noise_multiplier, stakes.delta) if plan else None
    verdict, words = epsilon_verdict(value, declared)
    return Finding(
        attack=ATTACK,
        setting=target.setting(plan),
        private=plan is not None,
        measure="epsilon",
        value=value,
        trials=trials,
        verdict=verdict,
        words=words,
        how=f"{pair.what}: {right} right guesses",
        declared=declared,
        ceiling=shown(trials),
        noticed=None if declared is None else noticed_epsilon(shown, trials, declared, stakes.delta),
    )
