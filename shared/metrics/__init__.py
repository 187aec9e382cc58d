"""Figures of validation; a registered metric is an additive tally, and one test holds the law for all of them."""

from shared.metrics.brier import BrierTally
from shared.metrics.classification import ConfusionTally
from shared.metrics.scores import ScoreTally

METRICS = {"scores": ScoreTally, "confusion": ConfusionTally, "brier": BrierTally}
