"""Runs an arm under Flower's simulation engine, on Ray: for simulations that outgrow one processor, or one machine.

The apps are those of every engine. The server app runs in this process; couriers run in Ray's actors, one processor
each, and build a hospital's agent there from what lies on the disk. RAY_ADDRESS names a cluster that runs already; its
machines must see the same folders.
"""

import importlib.util
import json
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flwr.app import Context, Message, RecordDict
from flwr.common.constant import HEARTBEAT_INTERVAL_INF, NOOP_ACCOUNT_NAME, NOOP_FLWR_AID, SUPERLINK_NODE_ID
from flwr.proto.task_pb2 import Task
from flwr.server.superlink.fleet.vce.metrics import VceMetrics
from flwr.server.superlink.fleet.vce.vce_api import start_vce
from flwr.server.superlink.linkstate import LinkState, LinkStateFactory
from flwr.server.superlink.linkstate.in_memory_linkstate import InMemoryLinkState, RunRecord
from flwr.supercore.constant import FLWR_IN_MEMORY_DB_NAME, NOOP_FEDERATION_ID
from flwr.supercore.object_store import ObjectStoreFactory
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity
from flwr.superlink.federation import NoOpFederationManager
from flwr.superlink.grid import InMemoryGrid

from client.app import courier
from server.app import app as server_app
from shared.errors import FileError, Problem, RunError
from shared.study_file import study_from_text
from shared.wire import Envelope
from simulations.arms import Hooks, Reach, app_config, open_consortium

PLACE = "partition-id"  # key of a virtual node's configuration: its number
RUN, TASK = 1, 1
ENDING = 60.0  # seconds for the actors to end
RESOURCES = {"num_cpus": 1, "num_gpus": 0.0}  # of a hospital at work
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing to the network
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a warning about accelerators
}


@dataclass(frozen=True)
class Ground:
    """Where a simulation's hospitals are: the study's text, their data, and the folder of the results."""

    study: str
    data: Path
    folder: Path


class OnDisk:
    """Finds the agent for a message in whichever process it comes to."""

    def __init__(self, ground: Ground, names: Sequence[str]) -> None:
        self._ground, self._names = ground, tuple(names)

    def __call__(self, context: Context, task: Envelope) -> Envelope:
        """The agent's answer; a virtual node has the number of its hospital, and no name."""
        context.node_config["site"] = self._names[int(context.node_config[PLACE])]
        return _opened(self._ground)(context, task)


@cache
def _opened(ground: Ground) -> Reach:
    """The hospitals, opened once a process."""
    study = study_from_text(ground.study)
    return Reach(open_consortium(study, ground.data, ground.folder / "hospitals"), Hooks())


class Watched(InMemoryGrid):
    """The engine's grid; ``seen`` is called for each reply, and nobody waits for an engine that has failed."""

    def __init__(self, factory: LinkStateFactory, seen: Callable[[], None], failed: list[Exception]) -> None:
        super().__init__(state_factory=factory)
        self._seen, self._failed = seen, failed

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Replies that have come; RunError where no more can come."""
        for failure in self._failed:
            raise RunError(f"Flower's simulation engine failed: {failure.__cause__ or failure}")
        replies = list(super().pull_messages(message_ids))
        for _ in replies:
            self._seen()
        return replies


def require_ray() -> None:
    """FileError with the remedy where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        remedy = "pip install -c constraints.txt 'flwr[simulation]'"
        raise FileError([Problem("--engine", "ray", "needs Ray, which is not installed", remedy)])


def run_arm_on_ray(ground: Ground, path: Path, arm: str, seen: Callable[[], None]) -> None:
    """Run one arm of the study file at ``path``; its records go to the ground's folder."""
    names = list(study_from_text(ground.study).sites)
    run = Run.create_empty(run_id=RUN)
    run.primary_task_id, run.federation_id = TASK, NOOP_FEDERATION_ID
    TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = RUN, TASK, SUPERLINK_NODE_ID
    factory = LinkStateFactory(FLWR_IN_MEMORY_DB_NAME, NoOpFederationManager(), ObjectStoreFactory())
    nodes = _registered(factory.state(), run, names)
    with (
        tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as logs,
        _engine(factory, (run, nodes), OnDisk(ground, names), logs) as failed,
    ):
        grid = Watched(factory, seen, failed)
        grid.set_run(run)
        config = app_config(path, arm, ground.folder, Hooks.deadline)
        server_app(grid, Context(RUN, SUPERLINK_NODE_ID, {}, RecordDict(), config))


def _registered(state: LinkState, run: Run, names: Sequence[str]) -> dict[int, int]:
    """{node: number of its hospital}; nodes are registered under the hospitals' names, as in a real federation."""
    assert isinstance(state, InMemoryLinkState)
    state.run_ids[RUN] = RunRecord(run=run)
    state.task_store[TASK] = Task(task_id=TASK, run_id=RUN)
    nodes = {}
    for place, name in enumerate(names):
        owner = (NOOP_FLWR_AID, NOOP_ACCOUNT_NAME, secrets.token_bytes(32))
        node = state.create_node(*owner, heartbeat_interval=HEARTBEAT_INTERVAL_INF, name=name)
        state.acknowledge_node_heartbeat(node_id=node, heartbeat_interval=HEARTBEAT_INTERVAL_INF)
        nodes[node] = place
    return nodes


@contextmanager
def _engine(
    factory: LinkStateFactory, work: tuple[Run, dict[int, int]], reach: OnDisk, logs: str
) -> Iterator[list[Exception]]:
    """Flower's engine in a thread of its own; why it failed is in the list, once it has. Ray's files go to ``logs``."""
    os.environ.update(ENVIRONMENT)
    init: dict[str, object] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if "RAY_ADDRESS" not in os.environ:  # Ray listens on all interfaces: to those who know this process' token
        for name, value in {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
            os.environ.setdefault(name, value)  # Ray reads it once
        init["_temp_dir"] = logs
    logging.getLogger("flwr").setLevel(logging.CRITICAL)
    stop, failed = threading.Event(), list[Exception]()

    def run_engine() -> None:
        try:
            start_vce(
                backend_name="ray",
                backend_config_json_stream=json.dumps({"init_args": init, "client_resources": RESOURCES}),
                app_dir="",
                is_app=False,
                f_stop=stop,
                run=work[0],
                metrics=VceMetrics(),
                client_app=courier(reach),
                state_factory=factory,
                existing_nodes_mapping=work[1],
            )
        except Exception as failure:
            failed.append(failure)

    thread = threading.Thread(target=run_engine, daemon=True)
    thread.start()
    try:
        yield failed
    finally:
        stop.set()
        thread.join(ENDING)
