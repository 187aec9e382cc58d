"""Trains a comparator on one arm's training units and scores every hospital's, as the models of the study do."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.batch import Batch
from shared.boosting import features
from shared.learners import Comparator
from shared.study import Study
from simulations.comparators import COMPARATORS

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-6  # probability, so that its log odds stay finite


def fitted(study: Study, choice: Comparator, batch: Batch) -> Any:
    """A classifier trained on a batch; None where it has one class only."""
    rows, columns = features(choice.modalities, batch)
    classes = study.outcome.strata(batch.outcome.numpy())
    if len(np.unique(classes)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers on few patients: the figures tell how good it became
        return COMPARATORS[choice.kind](columns, study.seed % 2**31).fit(rows, classes)


def scores(study: Study, choice: Comparator, machine: Any, batch: Batch) -> Floats:
    """Scores (units, outputs) on the scale of the outcome: log odds, or logarithms of the classes' probabilities."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = np.clip(machine.predict_proba(features(choice.modalities, batch)[0]), SMALLEST, 1 - SMALLEST)
    known: Mapping[int, int] = {int(name): place for place, name in enumerate(machine.classes_)}
    if study.outcome.outputs == 1:
        odds: Floats = np.log(found[:, [known[1]]] / (1 - found[:, [known[1]]]))
        return odds
    full = np.full((len(batch), study.outcome.outputs), np.log(SMALLEST))
    for name, place in known.items():
        full[:, name] = np.log(found[:, place])
    return full
