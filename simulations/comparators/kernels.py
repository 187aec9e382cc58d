"""A support vector machine on the mean of one Gaussian kernel a modality."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

Floats = npt.NDArray[np.float64]


class MultiKernelSvm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Kernels of standardised features, each with the bandwidth sqrt(features); probabilities by Platt's method."""

    def __init__(self, columns: list[slice], seed: int) -> None:
        self.columns = columns
        self.seed = seed

    def fit(self, rows: Floats, classes: npt.NDArray[np.int64]) -> "MultiKernelSvm":
        """Train on (units, features)."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        self.centre_, self.spread_ = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        self.rows_ = self._scaled(rows)
        machine = SVC(kernel="precomputed", random_state=self.seed)
        self.machine_ = CalibratedClassifierCV(machine, ensemble=False, cv=3).fit(self._kernel(self.rows_), classes)
        self.classes_ = self.machine_.classes_
        return self

    def predict_proba(self, rows: Floats) -> Floats:
        """Probabilities (units, classes)."""
        found: Floats = self.machine_.predict_proba(self._kernel(self._scaled(rows)))
        return found

    def _scaled(self, rows: Floats) -> Floats:
        scaled: Floats = (rows - self.centre_) / self.spread_
        return scaled

    def _kernel(self, rows: Floats) -> Floats:
        from sklearn.metrics.pairwise import rbf_kernel

        kernels = [
            rbf_kernel(rows[:, part], self.rows_[:, part], gamma=0.5 / max(1, part.stop - part.start))
            for part in self.columns
        ]
        mean: Floats = np.mean(kernels, axis=0)
        return mean


def multi_kernel_svm(columns: list[slice], seed: int) -> Any:
    """One kernel a modality, with equal weights."""
    return MultiKernelSvm(columns, seed)
