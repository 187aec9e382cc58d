"""The best figure that any model of each combination of modalities could reach on an invented study's patients.

By the exact posterior of severity given what the files show: a closed form where the outcome is binary and nothing is
cut into words, else a large seeded sample. An upper bound: files show the latent with a little noise, and some patients
lack a modality.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from shared.modalities.tabular import Tabular
from shared.simulated import Simulation
from shared.study import Study
from simulations.hospitals.chance import stream
from simulations.hospitals.columns import columns_of, draw, log_likelihood
from simulations.hospitals.severity import LAWS, NORMAL, class_cuts

Floats = NDArray[np.float64]
BINARY = ("binary", "early-warning")
DRAWS, FEWER = 200_000, 20_000  # patients; fewer where each has many severities to weigh
GRID = np.linspace(-4.5, 4.5, 61)  # severities that are not binary


def oracle(study: Study) -> dict[str, float]:
    """By model: AUC of a binary outcome; else the mean AUC of the outcome's questions, Harrell's C, or R squared.

    Of complete rows of a hospital of the declared prevalence, and of the true outcome: wrong labels, and columns that
    leak the outcome, are left out of account.
    """
    if study.simulation is None:
        return {}
    if study.outcome.kind in BINARY:
        return _binary(study, study.simulation)
    return _sampled(study, study.simulation)


def _binary(study: Study, simulation: Simulation) -> dict[str, float]:
    worded = {name for name, spec in study.modalities.items() if isinstance(spec, Tabular) and spec.categorical}
    event = np.arange(DRAWS) % 2 == 1
    found, evidence = {}, {}
    if worded:
        found = _likelihoods(study, simulation, np.where(event, 0.5, -0.5), np.array([-0.5, 0.5]))
        evidence = {name: table[:, 1] - table[:, 0] for name, table in found.items()}
    best = {}
    for model in study.models:
        names = model.split("+")
        if worded & set(names):
            best[model] = auc(sum((evidence[name] for name in names), np.zeros(DRAWS)), event)
        else:
            gap = sqrt(sum(simulation.separation[name] ** 2 for name in names))
            best[model] = NORMAL.cdf(gap / sqrt(2))
    return best


def _sampled(study: Study, simulation: Simulation) -> dict[str, float]:
    rng = stream(study.seed, "oracle", "severity")
    law = LAWS[study.outcome.kind]
    severity, truth = law.draw(study.outcome, simulation, simulation.prevalence, FEWER, rng)
    found = _likelihoods(study, simulation, severity, GRID)
    prior = -(GRID**2) / 2
    best = {}
    for model in study.models:
        logs = sum((found[name] for name in model.split("+")), np.zeros((FEWER, len(GRID)))) + prior
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        best[model] = _figure(study, simulation, posterior / posterior.sum(axis=1, keepdims=True), truth)
    return best


def _likelihoods(study: Study, simulation: Simulation, severity: Floats, grid: Floats) -> dict[str, Floats]:
    """By modality (patients, severities of the grid): log-likelihood of what it shows of these patients."""
    rng = stream(study.seed, "oracle")
    found = {}
    for name, spec in study.modalities.items():
        gap = simulation.separation[name]
        if isinstance(spec, Tabular):
            columns = columns_of(spec, simulation)
            found[name] = log_likelihood(columns, draw(columns, severity, gap, rng), gap, grid)
        else:
            latent = gap * severity + rng.standard_normal(len(severity))
            found[name] = latent[:, None] * (gap * grid) - (gap * grid) ** 2 / 2
    return found


def _figure(study: Study, simulation: Simulation, posterior: Floats, truth: Floats) -> float:
    mean = posterior @ GRID
    kind: str = study.outcome.kind
    if kind == "survival":
        return concordance(mean[:4000], truth[:4000, 0], truth[:4000, 1] == 1)
    if kind in ("regression", "forecast"):
        return float(np.mean([np.corrcoef(mean, column)[0, 1] ** 2 for column in truth.T]))
    if kind == "multilabel":
        return float(np.mean([auc(mean, column == 1) for column in truth.T]))
    cuts = class_cuts(int(truth.max()) + 1, simulation)
    if kind == "ordinal":
        return float(np.mean([auc(mean, truth[:, 0] >= place + 1) for place in range(len(cuts))]))
    place = np.searchsorted(cuts, GRID)
    return float(np.mean([auc(posterior[:, place == k].sum(axis=1), truth[:, 0] == k) for k in range(len(cuts) + 1)]))


def auc(scores: Floats, event: NDArray[np.bool_]) -> float:
    """Mann-Whitney's probability that an event outranks a non-event; scores are continuous, so ties do not matter."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    positive, negative = int(event.sum()), int((~event).sum())
    return float((ranks[event].sum() - positive * (positive + 1) / 2) / (positive * negative))


def concordance(risk: Floats, time: Floats, event: NDArray[np.bool_]) -> float:
    """Harrell's C: of pairs whose order is known, the share in which who had the event first has the higher risk."""
    first = event[:, None] & (time[:, None] < time[None, :])
    return float((first & (risk[:, None] > risk[None, :])).sum() / first.sum())
