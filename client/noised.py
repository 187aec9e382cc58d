"""Validation figures under a budget of their own: every model's scores as one noised tally, and nothing exact.

What is added to each cell is noise from the same cryptographic stream as in training. Nothing else of these patients
leaves: not how many had the event, no area, no curve, no table of who they are.
"""

from collections.abc import Mapping

import numpy as np
import torch

from client.evaluation import TOO_FEW, Ward
from shared.batch import Batch
from shared.metrics.delong import Floats
from shared.metrics.noised import noisy_counts
from shared.privacy.mechanism import StagePlan, tally_deviation
from shared.privacy.noise import gaussian
from shared.score_cells import NoisedCells
from shared.study import Study
from shared.wire import SiteFigures

NOISED_ONLY = "noised tallies only"
DECIMALS = 2  # of a noised count: far below its noise, and none of its float's last bits leave


def exact_tallies(
    batch: Batch, scores: Mapping[str, Floats], thresholds: Mapping[str, float | None]
) -> dict[str, Floats]:
    """Counts (2, cells) of each model before their noise; a patient's units add up to one in every model.

    A unit with no modality at all is in none, so that emptying a record takes one from each tally and adds to none.
    """
    known = torch.stack(list(batch.present.values())).any(dim=0).numpy()
    owner = batch.owner.numpy()[known]
    units = np.bincount(owner) if len(owner) else np.ones(0)
    shares, event = 1 / units[owner], batch.outcome[:, 0].numpy()[known]
    return {
        name: noisy_counts(event, score[known, 0] - (thresholds.get(name) or 0.0), shares)
        for name, score in scores.items()
    }


def noised_figures(study: Study, ward: Ward, tallies: Mapping[str, Floats], plan: StagePlan) -> list[SiteFigures]:
    """What is released of each model. How many patients there are is public, and alone decides whether it is."""
    few = ward.size < ward.limits.min_patients
    return [
        SiteFigures(
            model=model,
            role=ward.role,
            n=None,
            events=None,
            patients=None if few else ward.size,
            noised=None if few else _noised(counts, tally_deviation(study, model, plan)),
            reasons={"all": TOO_FEW if few else NOISED_ONLY},
        )
        for model, counts in tallies.items()
    ]


def _noised(counts: Floats, deviation: float) -> NoisedCells:
    others, events = np.round(counts + gaussian(counts.shape, deviation), DECIMALS).tolist()
    return NoisedCells(others=tuple(others), events=tuple(events), deviation=deviation)
