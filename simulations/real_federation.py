"""A federation of real processes on loopback: a SuperLink with TLS, and an agent and a SuperNode for each hospital.

Everything is provisioned, approved and started by what a coordinator and hospitals type; a hospital has one ledger for
all runs, as in reality.
"""

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from client.supernode import LOOK
from server.control import Control
from server.federation_file import Federation, load_federation
from server.provisioning import provision
from server.superlink import SuperLink, end_group
from shared.errors import RunError

CROWDED = 4  # hospitals a processor
JOINING = 180.0  # seconds until all hospitals are connected


class RealHospital:
    """A hospital's folder beside its data, and the processes that work for it."""

    def __init__(self, site_file: Path, home: Path, environment: Mapping[str, str]) -> None:
        self.home, self.site_file, self._environment = home, home / "site.toml", environment
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)
        values = tomllib.loads(site_file.read_text(encoding="utf-8"))
        values |= {
            "data": str((site_file.parent / values.get("data", ".")).resolve()),
            "state": "state",
            "connection": {"port": free_port()},
        }
        self.site_file.write_text("\n".join(f"{key} = {toml(value)}" for key, value in values.items()) + "\n")

    @property
    def pid(self) -> int:
        """The process of ``join``, which runs."""
        assert self._process
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether ``join`` was started and is over."""
        return self._process is not None and self._process.poll() is not None

    def type(self, *words: str) -> str:
        """What `python -m client COMMAND site.toml …` prints; RunError if it fails."""
        call = [sys.executable, "-m", "client", words[0], str(self.site_file), *words[1:]]
        around = {**os.environ, **self._environment}
        done = subprocess.run(call, capture_output=True, text=True, check=False, env=around)
        if done.returncode:
            raise RunError(f"{self.home.name}: client {words[0]}: {done.stderr or done.stdout}")
        return done.stdout

    def approve(self, study: Path) -> None:
        """As the hospital's data protection officer does."""
        signed = ("--by", "simulation", "--role", "simulation", "--until", "2099-12-31", "--yes")
        self.type("approve", "--study", str(study), *signed)

    def join(self) -> None:
        """Start agent and SuperNode."""
        with (self.home / "join.log").open("ab") as log:
            call = [sys.executable, "-m", "client", "join", str(self.site_file)]
            around = {**os.environ, **self._environment}
            self._process = subprocess.Popen(call, stdout=log, stderr=log, env=around, start_new_session=True)

    def leave(self) -> None:
        """End what was started."""
        if self._process:
            end_group(self._process, grace=30.0)
            self._process = None


class RealFederation:
    """The whole, for a ``with`` block; what it started is ended with it."""

    def __init__(self, site_files: Mapping[str, Path], folder: Path) -> None:
        """Hospitals by name with their site files."""
        folder = folder.resolve()  # hospitals' folders point into it
        folder.mkdir(parents=True, exist_ok=True)
        around = environment(len(site_files))
        self.hospitals = {name: RealHospital(path, folder / name, around) for name, path in site_files.items()}
        self.federation = self._provisioned(folder)
        self.link = SuperLink(self.federation)

    def _provisioned(self, folder: Path) -> Federation:
        listen = free_port()
        lines = ['name = "simulation"', f'address = "127.0.0.1:{listen}"', f"listen = {listen}"]
        for name, hospital in self.hospitals.items():
            hospital.type("keys")
            request = hospital.home / "courier" / f"{name}.request.json"
            told = json.loads(request.read_text(encoding="utf-8"))
            entry = {"request": str(request), "fingerprint": told["fingerprint"]}
            lines.append(f"hospitals.{name} = {toml(entry)}")
        path = folder / "federation.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        federation = load_federation(path)
        self.admitted, _ = provision(federation)
        for name, hospital in self.hospitals.items():
            (hospital.home / "kit").symlink_to(federation.state / "kits" / name)
        return federation

    def __enter__(self) -> "RealFederation":
        try:
            self.link.start()
            self.link.register(self.admitted)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End all processes."""
        for hospital in self.hospitals.values():
            hospital.leave()
        self.link.stop()

    def join(self, names: Sequence[str], studies: Sequence[Path]) -> None:
        """Let hospitals approve studies and join, and wait until they are connected."""
        for name in names:
            for study in studies:
                self.hospitals[name].approve(study)
            self.hospitals[name].join()
        self.wait(names)

    def wait(self, names: Sequence[str], seconds: float = JOINING) -> None:
        """Until hospitals are connected; RunError if one is not within ``seconds``."""
        until = time.monotonic() + seconds
        with Control(self.federation.control, self.federation.state / "ca.crt") as control:
            while missing := [name for name in names if control.nodes().get(name) != "online"]:
                if over := [name for name in missing if self.hospitals[name].ended]:
                    raise RunError(f"join ended at {', '.join(over)}; {self.hospitals[over[0]].home}/join.log says why")
                if time.monotonic() > until:
                    raise RunError(f"not connected within {seconds:.0f} s: {', '.join(missing)}")
                time.sleep(0.5)


def free_port() -> int:
    """A port of loopback that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def toml(value: Any) -> str:
    """A value of TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)


def environment(hospitals: int) -> dict[str, str]:
    """What a hospital's processes have beside this one's environment: this checkout's code first, one thread each.

    Many hospitals on one machine look for messages less often, so that their couriers do not all start at once: Flower
    gives up a courier that is long to start, and starts another beside it.
    """
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    crowd = hospitals / (os.cpu_count() or 1)
    return own | ({LOOK: f"{crowd:g}"} if crowd > CROWDED else {})
