"""Figures of validation; a registered metric is an additive tally, and one test holds the law for all of them."""

from shared.metrics.classification import ConfusionTally
from shared.metrics.regression import RegressionTally
from shared.metrics.risk import RiskTally
from shared.metrics.scores import ScoreTally

METRICS = {"scores": ScoreTally, "confusion": ConfusionTally, "risk": RiskTally, "regression": RegressionTally}
