"""The audit in one training run (Steinke, Nasr and Jagielski 2023): many canaries, each in or out by its own coin.

A model with few parameters holds few canaries that do not hide each other. The rest are put into further runs: a canary
is in one of them only, so all runs together are still one mechanism with the same epsilon for each canary.
"""

import math

import numpy as np
import torch

from shared.batch import Batch
from shared.privacy.accounting import spent_epsilon
from shared.privacy.mechanism import StagePlan
from simulations.audit.bounds import noticed_epsilon, one_run_epsilon
from simulations.audit.canaries import Canaries, apart, candidates, emptied
from simulations.audit.findings import Finding, epsilon_verdict
from simulations.audit.release import Floats, Target, noiseless
from simulations.audit.single_step import Stakes

ATTACK = "canaries, one run"


def one_run(target: Target, plan: StagePlan | None, canaries: int, stakes: Stakes, rng: np.random.Generator) -> Finding:
    """One line of the audit: the epsilon of a whole stage; ``plan`` None is training without privacy."""
    known = candidates(target, plan, rng)
    held = apart(known, _unit(target, known))
    size = max(len(held.patients), 1)
    right = sum(
        _played(target, _first(held, min(size, canaries - begun)), plan, rng) for begun in range(0, canaries, size)
    )

    def shown(right: int) -> float:
        return one_run_epsilon(right, canaries, stakes.delta, stakes.error)

    value = shown(right)
    declared = spent_epsilon([(plan.noise_multiplier, plan.releases)], stakes.delta) if plan else None
    verdict, words = epsilon_verdict(value, declared)
    return Finding(
        attack=ATTACK,
        setting=target.setting(plan),
        private=plan is not None,
        measure="epsilon",
        value=value,
        trials=canaries,
        verdict=verdict,
        words=words,
        how=f"{right} right guesses on {math.ceil(canaries / size)} x {size} canaries",
        declared=declared,
        ceiling=shown(canaries),
        noticed=None if declared is None else noticed_epsilon(shown, canaries, declared, stakes.delta),
    )


def _unit(target: Target, known: Canaries) -> float:
    """The longest response: with several steps in a round it is longer than a clip."""
    return float(np.linalg.norm(known.responses, axis=1).max())


def _first(held: Canaries, count: int) -> Canaries:
    return Canaries(held.patients.pick(torch.arange(count)), held.responses[:count])


def _played(target: Target, held: Canaries, plan: StagePlan | None, rng: np.random.Generator) -> int:
    """Right guesses in one run of the stage among the hospital's patients; the same weights are sent in each round."""
    coins = rng.integers(0, 2, len(held.patients)).astype(bool)
    nobody = torch.cat([torch.zeros(len(target.patients)), torch.ones(len(coins))]).bool()
    out = torch.cat([torch.zeros(len(target.patients)), torch.from_numpy(~coins).float()]).bool()
    everyone = Batch.joined([target.patients, held.patients])
    without = target.release(emptied(everyone, nobody), noiseless(plan))
    rounds = plan.rounds if plan and plan.noise_multiplier else 1  # without noise every round says the same
    played = emptied(everyone, out)
    updates: list[Floats] = [target.release(played, plan) - without for _ in range(rounds)]
    found = np.linalg.lstsq(held.responses.T, np.mean(updates, axis=0), rcond=None)[0]
    return int(np.sum((found > 0.5) == coins))
