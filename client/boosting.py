"""Grows a hospital's next tree on top of the common ones, and scores patients by them, with XGBoost."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from shared.batch import Batch
from shared.boosting import OBJECTIVE, Content, Floats, features
from shared.learners import Boosted
from shared.model import MultimodalModel

SMALLEST = 0.25  # most that a patient adds to a leaf's Hessian, so that this times a minimum is enough patients


@dataclass(frozen=True)
class Booster:
    """A learner and its trees so far."""

    choice: Boosted
    content: Content | None = None

    def scores(self, model: MultimodalModel, batch: Batch) -> Floats | None:
        """Log odds (units, 1); None where there are no trees."""
        if self.content is None:
            return None
        import xgboost  # here, as most studies have no trees

        table = xgboost.DMatrix(features(self.choice.modalities, batch)[0], nthread=1)
        odds = _loaded(self.content).predict(table, output_margin=True)
        return np.asarray(odds, dtype=np.float64)[:, None]


@dataclass(frozen=True)
class Growth:
    """How a hospital grows a tree: hospitals that grow one in this round, its minimum of a leaf, the study's seed."""

    hospitals: int
    min_cell: int
    seed: int


def grown(booster: Booster, batch: Batch, growth: Growth) -> Content:
    """One more tree, alone in a booster; a patient's units add up to one, and no leaf has fewer than the minimum."""
    import xgboost

    choice = booster.choice
    known = batch.pick(torch.stack([batch.present[name] for name in choice.modalities]).any(dim=0))
    units = np.bincount(known.owner.numpy(), minlength=1)
    table = xgboost.DMatrix(
        features(choice.modalities, known)[0],
        label=known.outcome[:, 0].numpy(),
        weight=1 / units[known.owner.numpy()],
        nthread=1,
    )
    settings = {
        "objective": OBJECTIVE,
        "base_score": 0.5,  # else it would be the hospital's own prevalence
        "max_depth": choice.depth,
        "eta": choice.learning_rate / growth.hospitals,
        "min_child_weight": SMALLEST * growth.min_cell,
        "tree_method": "hist",
        "seed": growth.seed,
        "nthread": 1,
    }
    if booster.content is None:
        one = xgboost.train(settings, table, 1)
    else:
        machine = _loaded(booster.content)
        machine.set_param(settings)
        before = machine.num_boosted_rounds()
        machine.update(table, before)
        one = machine[before : before + 1]
    return np.frombuffer(bytes(one.save_raw("json")), dtype=np.uint8)


def _loaded(content: Content) -> Any:
    import xgboost

    machine = xgboost.Booster({"nthread": 1})
    machine.load_model(bytearray(content.tobytes()))
    return machine
