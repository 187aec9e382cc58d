"""What is true of an invented patient, how much of it each modality can show, and the best possible AUC.

A patient has an event (advanced stage) or not. Given that, each modality has a latent of its own, normal with
standard deviation 1 and class means ``separation`` apart, independent of the other modalities; its data are a noisy
rendering of the latent. The clinical table splits its separation over its columns instead (``clinical.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from shared.study import Study
from simulations.hospitals import clinical

Floats = NDArray[np.float64]
DRAWS = 200_000


@dataclass(frozen=True)
class Person:
    """One invented patient: the event, and the latent of each modality that is a picture."""

    event: bool
    latents: Mapping[str, float]


def stream(*keys: str | int) -> np.random.Generator:
    """A random stream of its own for these keys, whatever else is drawn before or beside it."""
    digest = sha256("\x1f".join(str(key) for key in keys).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def prevalence(site: str) -> float:
    """The share of events among a hospital's patients, between .45 and .55; a property of the hospital's name."""
    return float(stream("prevalence", site).uniform(0.45, 0.55))


def draw_person(study: Study, site: str, number: int) -> Person:
    """The patient of that number at that hospital; independent of all other patients and hospitals."""
    rng = stream(study.seed, site, number, "truth")
    event = bool(rng.random() < prevalence(site))
    half = 0.5 if event else -0.5
    return Person(event, {name: half * gap + rng.standard_normal() for name, gap in _separation(study).items()})


def oracle(study: Study) -> dict[str, float]:
    """The AUC that the best possible model of each combination would reach on complete patients of one hospital.

    By the exact log-likelihood ratio of ``DRAWS`` patients, seeded: latents are normal, so a picture adds
    separation x latent; clinical columns include categories, for which no closed form exists. An upper bound:
    pictures only show the latent with noise, and some patients lack a modality.
    """
    rng = stream(study.seed, "oracle")
    event = np.arange(DRAWS) % 2 == 1
    evidence = {}
    for name, gap in _separation(study).items():
        if study.modalities[name].kind == "tabular":
            evidence[name] = clinical.log_ratio(clinical.draw(event, gap, rng), gap)
        else:
            evidence[name] = gap * (np.where(event, gap / 2, -gap / 2) + rng.standard_normal(DRAWS))
    return {
        model: _auc(sum((evidence[name] for name in model.split("+")), np.zeros(DRAWS)), event)
        for model in study.models
    }


def _separation(study: Study) -> dict[str, float]:
    if study.simulation is None:
        return dict.fromkeys(study.modalities, 0.0)
    return {name: study.simulation.separation[name] for name in study.modalities}


def _auc(scores: Floats, event: NDArray[np.bool_]) -> float:
    """Mann-Whitney's probability that an event outranks a non-event; scores are continuous, so ties do not matter."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    positive, negative = int(event.sum()), int((~event).sum())
    return float((ranks[event].sum() - positive * (positive + 1) / 2) / (positive * negative))
