"""How updates become the next weights, one file per idea."""

from server.strategies.fedavg import fedavg
from server.strategies.robust import krum, middle, trimmed_mean
from server.updates import Strategy

STRATEGIES: dict[str, Strategy] = {
    "fedavg": fedavg,
    "median": middle,
    "trimmed-mean": trimmed_mean,
    "krum": krum,
}
