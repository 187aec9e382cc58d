"""Flower's own FedAvg over a small model; the time of each round goes to a file."""

import json
import time
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, Context, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Each round trains and evaluates at every client, in two messages."""
    config, times = context.run_config, [time.monotonic()]

    def note(number: int, arrays: ArrayRecord) -> MetricRecord:
        times.append(time.monotonic())
        return MetricRecord({})

    clients = int(str(config["clients"]))
    strategy = FedAvg(min_train_nodes=clients, min_evaluate_nodes=clients, min_available_nodes=clients)
    start = ArrayRecord({"weight": Array(np.zeros((1, 8), np.float32)), "bias": Array(np.zeros(1, np.float32))})
    strategy.start(grid, start, num_rounds=int(str(config["rounds"])), evaluate_fn=note)
    Path(str(config["folder"]), "stock.json").write_text(json.dumps(times), encoding="utf-8")
