"""Flower's SuperLink as this federation runs it: on loopback, TLS, known keys only, and no traffic of its own."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from server.admission import Admitted
from server.certificates import read_certificate, valid
from server.control import Control
from server.federation_file import Federation
from shared.errors import RunError

STARTING, ENDING = 60.0, 15.0  # seconds that it may take


def programs_environment(home: Path) -> dict[str, str]:
    """Environment of Flower's programs: a home of their own, nothing to the network, and their helpers to be found."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {name: value for name, value in os.environ.items() if not name.startswith("FLWR_")}
    return found | {
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "OMP_NUM_THREADS": "1",
        # glibc keeps what a thread freed, and after one large array takes the next ones from that: gigabytes, here.
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 24),
    }


class SuperLink:
    """One SuperLink process and its server apps, in a process group of its own; ended with all that it started."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, which runs."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers; RunError if it does not."""
        state = self._federation.state
        if not (state / "server.crt").is_file():
            raise RunError("there is no server certificate: type `python -m server provision federation.toml` first")
        if not valid(read_certificate(state / "server.crt"), datetime.now(UTC)):
            raise RunError("the server's certificate is not valid today: type `python -m server provision` again")
        with (state / "superlink.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                env=programs_environment(state / "flower"),
                start_new_session=True,
            )
        try:
            with Control(self._federation.control, state / "ca.crt") as control:
                control.wait(STARTING)
        except BaseException:
            self.stop()
            raise
        if self._process.poll() is not None:
            raise RunError(f"something else answers at {self._federation.control}: change `listen`")

    @property
    def command(self) -> list[str]:
        """What is started."""
        state = self._federation.state
        host, _, port = self._federation.control.partition(":")
        return [
            *(
                sys.executable,
                "-m",
                "server.superlink_program",
                "--host",
                host,
                "--port",
                port,
                "--enable-supernode-auth",
            ),
            *("--ssl-ca-certfile", str(state / "ca.crt"), "--ssl-certfile", str(state / "server.crt")),
            *("--ssl-keyfile", str(state / "server.key"), "--database", str(state / "state.db")),
            "--disable-runtime-dependency-installation",
        ]

    def register(self, hospitals: list[Admitted]) -> list[str]:
        """Let in the hospitals that are not yet; their names."""
        with Control(self._federation.control, self._federation.state / "ca.crt") as control:
            known = control.nodes()
            new = [hospital for hospital in hospitals if hospital.name not in known]
            for hospital in new:
                control.register(hospital)
        return [hospital.name for hospital in new]

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        assert self._process
        return self._process.wait()

    def stop(self) -> None:
        """End it and what it started: first by asking, then by force."""
        if self._process:
            end_group(self._process)
            self._process = None


def end_group(process: subprocess.Popen[bytes], grace: float = ENDING) -> None:
    """End a process that leads its own group, and all of the group."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if not _signal_group(process.pid, number):
            break
        until = time.monotonic() + seconds
        while time.monotonic() < until and (process.poll() is None or _signal_group(process.pid, 0)):
            time.sleep(0.1)
    process.wait()


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to all of a group; False if nothing of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
