"""Nearest neighbours among the features that a LASSO keeps."""

from typing import Any


def knn_after_lasso(columns: list[slice], seed: int) -> Any:
    """Standardised features, those with a weight in an L1-penalised logistic regression, then 15 neighbours."""
    from sklearn.feature_selection import SelectFromModel
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    lasso = LogisticRegression(l1_ratio=1.0, C=0.2, solver="saga", max_iter=500, random_state=seed)
    return make_pipeline(
        StandardScaler(), SelectFromModel(lasso, max_features=30), KNeighborsClassifier(n_neighbors=15)
    )
