"""The server's memory does not grow with the number of hospitals: replies are taken, added and forgotten one by one."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import pytest
from flwr.app import Context, Message

SIZE = 4_000_000  # float32 values: a model of 16 MB
KEY = "encoders.clinical.readout.weight"


def measure(hospitals: int, folder: Path, told: Connection) -> None:
    """Peak memory in bytes of a process in one round of asking, sizing and averaging, and what it had before."""
    from flwr.clientapp import ClientApp

    from server.directions import Directions
    from server.quorum import ask, roll_call
    from server.strategies import STRATEGIES
    from server.updates import Updates
    from shared.privacy.records import RunKey
    from shared.wire import Envelope, Train, Trained
    from simulations.in_process import InProcessGrid

    client = ClientApp()
    update = np.zeros((1, SIZE), np.float32)

    @client.train()
    def train(message: Message, context: Context) -> Message:
        update[0, 0] = message.metadata.dst_node_id
        header = Trained(stage="encoders", round=1, epsilon=None, releases=0)
        return Message(Envelope(header, {KEY: update}).to_record(), reply_to=message)

    names = [f"h{number}" for number in range(hospitals)]
    grid = InProcessGrid(client, {name: {} for name in names})
    task = Train(study="{}", run=RunKey(study="0" * 64, fold="main", arm="federated"), stage="encoders", round=1)
    weights = {KEY: np.ones((1, SIZE), np.float32)}
    base, path = psutil.Process().memory_info().rss, Path("/proc/self/clear_refs")
    path.write_text("5")  # the peak is counted from here
    updates, directions = Updates(folder), Directions({})
    nodes = roll_call(grid, names, 1.0)
    answers = ask(grid, nodes, {name: Envelope(task) for name in names}, weights, 60.0)
    for answer in answers:
        assert answer.envelope
        updates.add(answer.site, 1.0, answer.envelope.arrays)
        del answer
    assert updates.reject_outsized() == []
    for site in updates.sites:
        directions.add(site, updates.of(site))
    directions.close_round()
    assert updates.moved(weights, STRATEGIES["fedavg"], 2)[KEY].shape == (1, SIZE)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    told.send((int(peak.split()[1]) * 1024, base))


@pytest.mark.slow
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak is read from Linux' /proc")
def test_three_and_twelve_hospitals_need_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    context, peaks = multiprocessing.get_context("spawn"), {}
    for hospitals in (3, 12):
        mine, theirs = context.Pipe()
        process = context.Process(target=measure, args=(hospitals, tmp_path, theirs))
        process.start()
        assert mine.poll(200)
        peaks[hospitals] = mine.recv()
        process.join(20)
    print({hospitals: f"{peak / 1e6:.0f} MB, {base / 1e6:.0f} before" for hospitals, (peak, base) in peaks.items()})
    assert peaks[12][0] <= 1.1 * peaks[3][0]
    grown = (peaks[12][0] - peaks[12][1]) - (peaks[3][0] - peaks[3][1])
    assert grown < 5 * 4 * SIZE, "nine more hospitals must not mean nine more models in memory"
