"""``simulations bench scale``: many hospitals, or large updates, over a real server."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from server.admission import fingerprint
from server.control import Control
from server.federation_file import Federation, load_federation
from server.follow import Job, run_arm
from server.provisioning import provision
from server.record import load_records
from server.run_folder import fresh_folder
from server.superlink import SuperLink
from shared.errors import RunError
from shared.study import Study
from simulations.bench.scale.light import LightHospitals, Place, new_key, public_of
from simulations.bench.scale.memory import Peaks, peak
from simulations.bench.scale.study import NETWORKS, scale_study
from simulations.hospitals import invent
from simulations.real_federation import RealFederation, free_port, toml
from simulations.site_file import write_site_file

DEADLINE = 1800.0  # seconds for an answer
JOINING = 600.0  # seconds until all hospitals are connected


@dataclass(frozen=True)
class Case:
    """What is run: how many hospitals, light or as real processes, with which networks."""

    hospitals: int
    light: bool
    rounds: int
    megabytes: int = 0  # of an update, about


@dataclass(frozen=True)
class Outcome:
    """What was seen; bytes are peaks, of the server's two processes and of the light hospitals' one."""

    case: Case
    seconds: tuple[float, ...]  # of each round
    answered: tuple[int, ...]  # hospitals, in each round
    failures: int
    update: int
    superlink: int
    server_app: int
    light: int | None


def run_scale_bench(results: Path, case: Case, console: Console) -> Path:
    """Run a case, print its table, and write it into a new results folder."""
    folder = fresh_folder(results, "bench-scale")
    kind = "in one process" if case.light else "as real processes"
    console.print(f"{case.hospitals} hospitals {kind}, {case.rounds} rounds")
    outcome = measured(case, folder)
    (folder / "bench.json").write_text(json.dumps(asdict(outcome), indent=2) + "\n", encoding="utf-8")
    console.print(table(outcome))
    return folder


def measured(case: Case, folder: Path) -> Outcome:
    """One case, over a SuperLink of its own."""
    study = scale_study(case.hospitals, case.rounds, NETWORKS.get(case.megabytes, ()))
    invent(study, folder / "data")
    for name in study.sites:
        write_site_file(folder / "data" / name, name)
    path = folder / "study.json"
    path.write_text(study.text, encoding="utf-8")
    started = light if case.light else real
    with started(study, path, folder) as (federation, superlink, process), Peaks(superlink) as peaks:
        run_arm(federation, Job(path, folder, "federated", DEADLINE), lambda: None)
        light_peak = peak(process) if process else None
    (record,) = load_records(folder)
    return Outcome(
        case=case,
        seconds=tuple(round(one.seconds, 1) for one in record.rounds),
        answered=tuple(len(one.answered) for one in record.rounds),
        failures=len(record.failures),
        update=(folder / "models" / f"{record.run.name}.no-privacy.safetensors").stat().st_size,
        superlink=peaks.bytes["SuperLink"],
        server_app=peaks.bytes["server app"],
        light=light_peak,
    )


Started = tuple[Federation, Callable[[], int], int | None]


@contextmanager
def real(study: Study, path: Path, folder: Path) -> Iterator[Started]:
    """Every hospital with a SuperNode, couriers and an agent of its own."""
    files = {name: folder / "data" / name / "site.toml" for name in study.sites}
    with RealFederation(files, folder / "federation") as all_:
        all_.join(list(study.sites), [path])
        yield all_.federation, lambda: all_.link.pid, None


@contextmanager
def light(study: Study, path: Path, folder: Path) -> Iterator[Started]:
    """All hospitals in one process."""
    keys = {name: new_key() for name in study.sites}
    federation = _light_federation(keys, folder / "federation")
    admitted, _ = provision(federation)
    link = SuperLink(federation)
    link.start()
    try:
        link.register(admitted)
        authority = federation.state / "ca.crt"
        place = Place(federation.control, authority, study.text, folder / "data", folder / "hospitals", keys)
        with LightHospitals(place) as hospitals:
            _wait(federation, len(keys))
            yield federation, lambda: link.pid, hospitals.process.pid
    finally:
        link.stop()


def _light_federation(keys: dict[str, bytes], folder: Path) -> Federation:
    folder.mkdir(parents=True)
    listen = free_port()
    lines = ['name = "bench"', f'address = "127.0.0.1:{listen}"', f"listen = {listen}"]
    for name, key in keys.items():
        public = public_of(key)
        request = {"medley": 1, "name": name, "public_key": public, "fingerprint": fingerprint(public)}
        (folder / f"{name}.request.json").write_text(json.dumps(request), encoding="utf-8")
        entry = {"request": f"{name}.request.json", "fingerprint": fingerprint(public)}
        lines.append(f"hospitals.{name} = {toml(entry)}")
    path = folder / "federation.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_federation(path)


def _wait(federation: Federation, hospitals: int) -> None:
    until = time.monotonic() + JOINING
    with Control(federation.control, federation.state / "ca.crt") as control:
        while (online := list(control.nodes().values()).count("online")) < hospitals:
            if time.monotonic() > until:
                raise RunError(f"only {online} of {hospitals} hospitals are connected after {JOINING:.0f} s")
            time.sleep(1.0)


def table(one: Outcome) -> Table:
    """What was seen, in one row."""
    cells = {
        "hospitals": str(one.case.hospitals),
        "update, MB": f"{one.update / 1e6:.2f}",
        "answers": f"{sum(one.answered)} of {one.case.hospitals * one.case.rounds}",
        "failures": str(one.failures),
        "s a round": f"{median(one.seconds):.1f}",
        "SuperLink, MB": f"{one.superlink / 1e6:.0f}",
        "server app, MB": f"{one.server_app / 1e6:.0f}",
    }
    shown = Table(title="Rounds over a real server on this machine; memory at its peak", title_justify="left", box=None)
    for name in cells:
        shown.add_column(name, justify="right")
    shown.add_row(*cells.values())
    return shown
