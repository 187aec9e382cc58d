"""Gradient inversion on a linear head: a patient's features from an update, in closed form.

Of one patient the gradient of a score's weights is r * x and that of its bias is r, so that their ratio is x (Phong et
al. 2018). Of many patients the ratio is a mixture of all of them, and under privacy it is mostly noise.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import binomtest

from shared.batch import Batch
from shared.encoders.filters import VolumeFilters
from shared.encoders.linear import Linear
from shared.parameters import group_of, in_stage
from shared.privacy.mechanism import StagePlan
from simulations.audit.findings import Finding, Verdict
from simulations.audit.release import Floats, Target, with_steps

ATTACK = "gradient inversion"
TARGETS = 40  # patients whose features are looked for in an update of their own
READ, SOME = 0.9, 0.3  # cosines from which a patient is called read off, or partly so
CHANCE = 1e-4  # at most, that so many guesses of noise alone point the right way; of few features their cosines vary


@dataclass(frozen=True)
class Opened:
    """How near reconstructions come: (patients,) each. ``cosine`` is of what sets a patient apart from the others."""

    cosine: Floats
    error: Floats  # relative to the length of the patient's features


def linear_modality(target: Target) -> str | None:
    """The first modality here whose score is linear in its prepared features."""
    kinds = (Linear, VolumeFilters)
    encoders = target.model.encoders.items()
    return next((name for name, encoder in encoders if name in target.groups and isinstance(encoder, kinds)), None)


def inversion(target: Target, plan: StagePlan | None, rng: np.random.Generator) -> list[Finding]:
    """Two lines: from the update of one patient, and from that of all patients; none without a linear head."""
    name, single = linear_modality(target), with_steps(target, 1)
    if name is None:
        return []
    here = target.patients.pick(target.patients.present[name])
    chosen = sorted(rng.choice(len(here), min(len(here), TARGETS), replace=False))
    alone = [reconstructed(single, name, here.pick(torch.tensor([number])), plan) for number in chosen]
    mixed = reconstructed(single, name, target.patients, plan)
    features = here.inputs[name].numpy().astype(np.float64)
    return [
        _finding(name, "1 patient", _opened(features[chosen], np.stack(alone), features.mean(axis=0)), plan),
        _finding(
            name,
            f"{len(target.patients)} patients",
            _opened(features, np.broadcast_to(mixed, features.shape), features.mean(axis=0)),
            plan,
        ),
    ]


def reconstructed(target: Target, name: str, patients: Batch, plan: StagePlan | None) -> Floats:
    """Features (features,) that would explain an update, kept inside the public range of prepared features."""
    parts = _parts(target, target.release(patients, plan))
    residual = float(parts[f"heads.{name}.bias"].item())
    head = target.start[f"heads.{name}.weight"].numpy().astype(np.float64)[0]
    weights = parts[f"encoders.{name}.readout.weight"]  # (width, features): residual * head * features
    span = float(target.patients.inputs[name].abs().max())
    ratio: Floats = (head @ weights) / (head @ head) / (residual if residual else 1.0)
    return np.clip(ratio, -span, span)


def _parts(target: Target, released: Floats) -> dict[str, Floats]:
    """A released sum cut into the parameters that it is of."""
    parts, place = {}, 0
    for name, value in target.start.items():
        if in_stage(name, target.stage) and group_of(name) in target.groups:
            parts[name] = released[place : place + value.numel()].reshape(tuple(value.shape))
            place += value.numel()
    return parts


def _opened(truth: Floats, guess: Floats, average: Floats) -> Opened:
    own, found = truth - average, guess - average
    lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(found, axis=1)
    cosine = np.sum(own * found, axis=1) / np.maximum(lengths, 1e-12)
    error = np.linalg.norm(guess - truth, axis=1) / np.maximum(np.linalg.norm(truth, axis=1), 1e-12)
    return Opened(cosine, error)


def _finding(name: str, size: str, opened: Opened, plan: StagePlan | None) -> Finding:
    cosine = float(np.median(opened.cosine))
    low, high = (float(np.quantile(opened.cosine, share)) for share in (0.025, 0.975))
    towards = binomtest(int(np.sum(opened.cosine > 0)), len(opened.cosine), alternative="greater")
    seen = cosine > SOME and towards.pvalue < CHANCE
    verdict: Verdict = "leaks" if seen else "nothing found"
    said = "not seen" if not seen else "read off" if cosine > READ else "partly seen"
    return Finding(
        attack=ATTACK,
        setting=f"{name}, of {size}",
        private=plan is not None,
        measure="cosine",
        value=cosine,
        trials=len(opened.cosine),
        verdict=verdict,
        words=f"{said}, error {float(np.median(opened.error)):.1g}",
        how="ratio of the gradients of weights and bias",
        low=low,
        high=high,
    )
