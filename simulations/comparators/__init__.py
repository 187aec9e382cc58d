"""Learners that published studies compare with and that cannot be federated: in the arms alone and pooled."""

from collections.abc import Callable
from typing import Any

from simulations.comparators.kernels import multi_kernel_svm
from simulations.comparators.neighbours import knn_after_lasso
from simulations.comparators.trees import lightgbm, xgboost

# (columns of each modality, seed) -> a classifier of scikit-learn's form
COMPARATORS: dict[str, Callable[[list[slice], int], Any]] = {
    "knn-lasso": knn_after_lasso,
    "lightgbm": lightgbm,
    "multi-kernel-svm": multi_kernel_svm,
    "xgboost": xgboost,
}
