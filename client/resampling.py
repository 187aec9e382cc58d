"""Balances the classes of a hospital's training patients by invented or merged ones, inside that hospital alone.

Only without privacy: a synthetic patient is made of several real ones, so a patient would no longer be one record.
Probabilities are then those of balanced classes; validation patients are never touched.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shared.batch import Batch
from shared.study import Study

Floats = npt.NDArray[np.float64]
NEIGHBOURS = 5  # of SMOTE, fewer where a class is smaller


def _smote(masks: list[int], neighbours: int, seed: int) -> Any:
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=seed, k_neighbors=neighbours)


def _smote_nc(masks: list[int], neighbours: int, seed: int) -> Any:
    from imblearn.over_sampling import SMOTENC

    return SMOTENC(masks, random_state=seed, k_neighbors=neighbours)


def _cluster_centroids(masks: list[int], neighbours: int, seed: int) -> Any:
    from imblearn.under_sampling import ClusterCentroids
    from sklearn.cluster import KMeans

    return ClusterCentroids(estimator=KMeans(random_state=seed, n_init=3), random_state=seed)


def _smote_nc_centroids(masks: list[int], neighbours: int, seed: int) -> Any:
    """Classes below the mean size of a class grow to it, then those above it shrink: together they stay as many."""
    from imblearn.over_sampling import SMOTENC
    from imblearn.pipeline import make_pipeline

    grown = SMOTENC(masks, sampling_strategy=_to_mean_size, random_state=seed, k_neighbors=neighbours)
    return make_pipeline(grown, _cluster_centroids(masks, neighbours, seed))


def _to_mean_size(classes: npt.NDArray[np.int64]) -> dict[int, int]:
    found = np.unique_counts(classes)
    mean = len(classes) // len(found.values)
    return {int(kind): mean for kind, n in zip(found.values, found.counts, strict=True) if n < mean}


# (columns that are presence masks, neighbours, seed) -> a sampler of imbalanced-learn
RESAMPLERS: dict[str, Callable[[list[int], int, int], Any]] = {
    "smote": _smote,
    "smote-nc": _smote_nc,
    "cluster-centroids": _cluster_centroids,
    "smote-nc-centroids": _smote_nc_centroids,
}


def resampled(study: Study, batch: Batch) -> Batch:
    """Training patients with balanced classes; the same ones where the study asks for no resampling.

    A class with fewer than two units cannot be learned from, and leaves everything as it is.
    """
    classes = study.outcome.strata(batch.outcome.numpy())
    sizes = np.unique_counts(classes).counts
    smallest = int(sizes.min()) if len(sizes) > 1 else 0
    if study.training.resample == "none" or smallest < 2:
        return batch
    rows, masks = _flat(batch)
    sampler = RESAMPLERS[study.training.resample](masks, min(NEIGHBOURS, smallest - 1), study.seed % 2**32)
    found, labels = sampler.fit_resample(rows, classes)
    return _batch(batch, np.asarray(found, dtype=np.float64), np.asarray(labels))


def _flat(batch: Batch) -> tuple[Floats, list[int]]:
    """Units as rows of numbers, presence masks last, and the places of the masks."""
    parts = [values.flatten(1).numpy().astype(np.float64) for values in batch.inputs.values()]
    masks = np.stack([mask.numpy() for mask in batch.present.values()], axis=1).astype(np.float64)
    rows = np.concatenate([*parts, masks], axis=1)
    return rows, list(range(rows.shape[1] - masks.shape[1], rows.shape[1]))


def _batch(like: Batch, rows: Floats, classes: npt.NDArray[np.int64]) -> Batch:
    """Rows of numbers as units again, each a patient of its own; what is absent is zeros."""
    inputs, present, place = {}, {}, 0
    masks = rows[:, rows.shape[1] - len(like.present) :] > 0.5
    for number, (name, values) in enumerate(like.inputs.items()):
        size = values[0].numel()
        own = torch.from_numpy(rows[:, place : place + size]).to(values.dtype).reshape(-1, *values.shape[1:])
        present[name] = torch.from_numpy(np.ascontiguousarray(masks[:, number]))
        inputs[name] = torch.where(
            present[name].view(-1, *[1] * (own.dim() - 1)), own, torch.zeros((), dtype=own.dtype)
        )
        place += size
    return Batch(inputs, present, _truth(like, classes))


def _truth(like: Batch, classes: npt.NDArray[np.int64]) -> torch.Tensor:
    """The truth of each unit from its class: classes are the outcome's own numbers."""
    return torch.from_numpy(classes.astype(np.float32)).unsqueeze(-1).to(like.outcome.dtype)
