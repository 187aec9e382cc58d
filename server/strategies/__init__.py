"""How updates become the next weights, one file per idea."""

from collections.abc import Callable
from typing import Protocol

from server.strategies.fedavg import FedAvg
from server.strategies.robust import Krum, Median, TrimmedMean
from shared.wire import Arrays


class Strategy(Protocol):
    """Takes the updates of one round as they arrive, and gives the next weights."""

    @property
    def contributors(self) -> dict[str, list[str]]:
        """Hospitals by parameter group."""

    def add(self, site: str, weight: float, update: Arrays) -> None:
        """Take one hospital's update."""

    def updated(self, weights: Arrays, min_contributors: int) -> Arrays:
        """The next weights; a group with fewer contributors stays as it was."""


STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "fedavg": FedAvg,
    "median": Median,
    "trimmed-mean": TrimmedMean,
    "krum": Krum,
}
