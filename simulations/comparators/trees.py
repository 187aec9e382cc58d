"""Gradient-boosted trees by the two usual libraries, small and slow to learn, as for a few hundred patients."""

from typing import Any

ROUNDS = 200
RATE = 0.05
DEPTH = 3


def lightgbm(columns: list[slice], seed: int) -> Any:
    """LightGBM on all features."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=ROUNDS,
        learning_rate=RATE,
        max_depth=DEPTH,
        min_child_samples=10,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def xgboost(columns: list[slice], seed: int) -> Any:
    """XGBoost on all features."""
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=ROUNDS, learning_rate=RATE, max_depth=DEPTH, min_child_weight=5, random_state=seed, n_jobs=1
    )
