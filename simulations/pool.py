"""The patients of several hospitals as if they were one: the pooled arm, which only a simulation can have."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from client.archive import Archive
from client.prognosis import FollowUp
from shared.batch import Batch
from shared.cohorts import Fold
from shared.metrics.delong import Floats
from shared.study import Study


class Pool:
    """Hospitals' archives side by side; every patient keeps the role that he has at his own hospital."""

    def __init__(self, archives: Mapping[str, Archive]) -> None:
        self._archives = tuple(archives.values())
        self.members = tuple(archives)

    def batch(self, study: Study) -> Batch:
        """All patients, one hospital after the other."""
        return Batch.joined([archive.batch(study) for archive in self._archives])

    def roles(self, study: Study, fold: Fold) -> list[str]:
        """Each patient's role, in the same order."""
        return [role for archive in self._archives for role in archive.roles(study, fold)]

    def split(self, study: Study) -> str | None:
        """None: every hospital has its own."""
        return None

    def excluded(self, study: Study) -> dict[str, int]:
        """Rows left out, by rule."""
        total: Counter[str] = Counter()
        for archive in self._archives:
            total.update(archive.excluded(study))
        return dict(total)

    def nomograms(self, study: Study) -> dict[str, Floats]:
        """Log odds (units, 1) of each nomogram, one hospital after the other."""
        each = [archive.nomograms(study) for archive in self._archives]
        return {name: np.concatenate([own[name] for own in each]) for name in study.nomograms}

    def follow_up(self, study: Study) -> FollowUp | None:
        """Each patient's second endpoint, in the same order."""
        parts = [found for archive in self._archives if (found := archive.follow_up(study))]
        if not parts:
            return None
        time, event = (np.concatenate(side) for side in zip(*((p.time, p.event) for p in parts), strict=True))
        return FollowUp(parts[0].endpoint, time, event)
