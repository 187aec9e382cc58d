"""Fills what is missing in a table by a forest that each hospital grows on its own training patients alone.

After missForest (Stekhoven and Bühlmann 2012), by scikit-learn. A category's places take the share that the forest
expects. Nothing of it leaves, and validation patients are filled by it without being learned from; where nobody trains,
as at an external hospital, the declared ``fill`` stands. Not under privacy: what a patient is filled with depends on
other patients, so one of them would change the gradients of all.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shared.batch import Batch
from shared.modalities.tabular import Tabular
from shared.study import Study

TREES, LEAF, PASSES = 20, 5, 5
FEWEST = 20  # training patients below whom no forest is grown


def imputed(study: Study, batch: Batch, roles: Sequence[str]) -> Batch:
    """All units of a hospital with its forests' values in place of missing ones; ``roles`` (units,) in their order.

    The same batch where the study asks for no forest. Missing indicators stay as they are.
    """
    training = np.array([role == "train" for role in roles], dtype=np.bool_)
    filled = {
        name: _filled(spec, batch.inputs[name], (training, batch.present[name].numpy()), study.seed % 2**32)
        for name, spec in study.modalities.items()
        if isinstance(spec, Tabular) and spec.imputation == "forest"
    }
    return replace(batch, inputs={**batch.inputs, **filled}) if filled else batch


def _filled(
    spec: Tabular, inputs: torch.Tensor, who: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], seed: int
) -> torch.Tensor:
    """One table's vectors (units, features); ``who`` trains, and who has the table at all."""
    training, present = who
    rows = inputs.numpy().astype(np.float64)
    sizes = [1] * len(spec.numeric) + [len(column.values) for column in spec.categorical.values()]
    values, indicators = rows[:, : sum(sizes)], rows[:, sum(sizes) :]
    missing = np.repeat(indicators == 1, sizes, axis=1)
    learned = training & present
    known = (~missing[learned]).any(axis=0)  # a column that nobody here has keeps what was read
    if learned.sum() < FEWEST or not (missing[present][:, known]).any():
        return inputs
    gaps = np.where(missing, np.nan, values)[:, known]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that five passes are not many: the figures tell how good it became
        forest = _forest(seed).fit(gaps[learned])
        rows[np.ix_(present, np.flatnonzero(known))] = forest.transform(gaps[present])
    return torch.from_numpy(rows).to(inputs.dtype)


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    trees = RandomForestRegressor(n_estimators=TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=1)
    return IterativeImputer(trees, max_iter=PASSES, random_state=seed)
