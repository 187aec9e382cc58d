"""How updates become the next weights, one file per strategy."""

from server.strategies.fedavg import FedAvg

STRATEGIES = {"fedavg": FedAvg}
