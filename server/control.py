"""What the coordinator tells Flower's control API on loopback: register hospitals, start, stop and follow runs."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx
from flwr.common.serde import fab_to_proto, user_config_to_proto
from flwr.proto.control_pb2 import (
    ListNodesRequest,
    ListRunsRequest,
    RegisterNodeRequest,
    StartRunRequest,
    StopRunRequest,
)
from flwr.supercore.control import ControlHttpClient
from flwr.supercore.fab import Fab
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

from server.admission import Admitted, key_bytes
from shared.errors import RunError

Config = Mapping[str, str | float]


@dataclass(frozen=True)
class RunState:
    """``status``: pending, starting, running or finished; ``outcome`` of the last: completed, failed or stopped."""

    status: str
    outcome: str
    details: str


class Control:
    """A connection to the control API, for a ``with`` block; RunError where nothing answers."""

    def __init__(self, address: str, authority: Path) -> None:
        self._client = ControlHttpClient.from_server_address(
            server_address=address,
            insecure=False,
            root_certificates=authority.read_bytes(),
            interceptors=[RuntimeVersionHttpInterceptor(component_name="flwr CLI")],
        )

    def __enter__(self) -> "Control":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self._client.close()

    def wait(self, seconds: float) -> None:
        """Return when the API answers; RunError if it does not within ``seconds``."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.nodes()
            except RunError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                return

    def nodes(self) -> dict[str, str]:
        """Status of each registered hospital: online, offline, registered."""
        with _answering():
            found = self._client.ListNodes(ListNodesRequest()).nodes_info
        return {node.name: node.status for node in found if node.status != "unregistered"}

    def register(self, hospital: Admitted) -> None:
        """Let a hospital's key in, under its name."""
        request = RegisterNodeRequest(public_key=key_bytes(hospital.public_key), name=hospital.name)
        with _answering():
            self._client.RegisterNode(request)

    def start(self, bundle: tuple[str, bytes], config: Config) -> int:
        """Start a run of the app with this configuration; its number at Flower."""
        fab = Fab(bundle[0], bundle[1], {})
        request = StartRunRequest(
            fab=fab_to_proto(fab), override_config=user_config_to_proto(dict(config)), federation="", app_spec=""
        )
        with _answering():
            answer = self._client.StartRun(request)
        if not answer.HasField("run_id"):
            raise RunError("Flower did not start the run; its log (superlink.log in the state folder) says why")
        return int(answer.run_id)

    def state(self, number: int) -> RunState:
        """How a run is."""
        with _answering():
            run = self._client.ListRuns(ListRunsRequest(run_id=number)).run_dict[number]
        return RunState(run.status.status, run.status.sub_status, run.status.details)

    def stop(self, number: int) -> None:
        """End a run."""
        with _answering():
            self._client.StopRun(StopRunRequest(run_id=number))


@contextmanager
def _answering() -> Iterator[None]:
    """RunError in place of what httpx raises where no server answers."""
    try:
        yield
    except httpx.HTTPError:
        raise RunError("the server does not answer: start it by `python -m server start federation.toml`") from None
