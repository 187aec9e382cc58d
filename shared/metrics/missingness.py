"""Discrimination by which modalities a patient has: the pattern of what is missing."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from shared.metrics.delong import Floats, auc_with_variance


def auc_by_pattern(
    outcome: Floats, score: Floats, present: Mapping[str, npt.NDArray[np.bool_]], min_class: int
) -> dict[str, tuple[float, float] | None]:
    """(AUC, variance) of the patients with each pattern, named by the modalities present, joined by "+".

    None where the pattern has fewer than ``min_class`` patients of a class, which must not be told.
    """
    names = list(present)
    held = np.stack([present[name] for name in names])
    found: dict[str, tuple[float, float] | None] = {}
    for pattern in sorted(set(map(tuple, held.T.tolist())), reverse=True):
        rows = (np.array(pattern) == held.T).all(axis=1)
        events = int(outcome[rows].sum())
        enough = min(events, int(rows.sum()) - events) >= max(min_class, 2)
        name = "+".join(name for name, there in zip(names, pattern, strict=True) if there) or "none"
        found[name] = auc_with_variance(outcome[rows], score[rows]) if enough else None
    return found
