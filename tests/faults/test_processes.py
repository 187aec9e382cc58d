"""The fault table over real processes: what is killed, cut or slow, and that the study completes or says why not."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from client.ledger_file import LedgerFile
from server.control import Control
from server.record import RunRecord
from shared.errors import RunError
from shared.privacy.records import spent
from shared.study import Study
from simulations.federation import run_federation
from simulations.real_federation import RealFederation
from tests.faults.processes import Events, Wire, kill, of_hospital, of_server, run
from tests.many import CALM, hospitals

pytestmark = pytest.mark.slow
DEADLINE = 90.0  # seconds; what is lost costs a round that long
DECLARED = 'evaluation.threshold={rule="declared", value=0.5}'  # no question of its own
TRAINERS = ("h1", "h2", "h3")


class Place:
    """The federation that all rows of the table share: three hospitals train, one validates."""

    def __init__(self, folder: Path, all_: RealFederation, wire: Wire, study: Study) -> None:
        self.folder, self.all, self.wire, self.study = folder, all_, wire, study

    def study_file(self, title: str) -> tuple[Study, Path]:
        """The study under another title, so that it is a study of its own, approved everywhere."""
        study = self.study.model_copy(update={"title": title})
        path = self.folder / f"{title}.json"
        path.write_text(study.text, encoding="utf-8")
        for one in self.all.hospitals.values():
            one.approve(path)
        return study, path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, patch = tmp_path_factory.mktemp("processes"), pytest.MonkeyPatch()
    study = hospitals(folder, patch, 4, CALM, "training.rounds=1", DECLARED)
    wires: list[Wire] = []

    def via(port: int) -> int:
        wires.append(Wire(port))
        return wires[0].port

    files = {name: folder / "data" / name / "site.toml" for name in study.sites}
    with RealFederation(files, folder / "federation", via) as all_:
        all_.join(list(study.sites), [])
        yield Place(folder, all_, wires[0], study)
    wires[0].close()
    patch.undo()


def undisturbed(place: Place, study: Study, record: RunRecord, folder: Path) -> None:
    """The same models as in one process without any fault."""
    calm = run_federation(study, place.folder / "data", folder / "calm", {})
    (mine,), (theirs,) = ((base / "models").iterdir() for base in (folder, calm.folder))
    for name, values in load_file(theirs).items():
        np.testing.assert_allclose(load_file(mine)[name], values, rtol=0, atol=1e-6)
    assert record.failures == ()


@pytest.mark.parametrize("task", ["train encoders 1", "train fusion 1", "evaluate"])
def test_server_app_killed_and_resumed(task: str, place: Place, tmp_path: Path) -> None:
    study, path = place.study_file(f"server app, {task}")
    event = Events(tmp_path, "asked", task, lambda: kill(of_server("flwr-serverapp", place.all)))
    with pytest.raises(RunError, match="server resume"):
        run(place.all, path, tmp_path, DEADLINE, event)
    assert event.done
    undisturbed(place, study, run(place.all, path, tmp_path, DEADLINE, lambda: None), tmp_path)


def test_courier_killed(place: Place, tmp_path: Path) -> None:
    _, path = place.study_file("courier")
    stop = threading.Event()

    def hunt() -> None:
        while not stop.is_set():
            if found := of_hospital("h2", "flwr-clientapp", place.all):
                kill(found)
                return
            time.sleep(0.02)

    event = Events(tmp_path, "asked", "train encoders 1", lambda: threading.Thread(target=hunt, daemon=True).start())
    record = run(place.all, path, tmp_path, DEADLINE, event)
    stop.set()
    assert {failure.site for failure in record.failures} == {"h2"}
    assert record.rounds[-1].answered == TRAINERS


def test_supernode_killed(place: Place, tmp_path: Path) -> None:
    _, path = place.study_file("supernode")
    event = Events(
        tmp_path, "asked", "train encoders 1", lambda: kill(of_hospital("h2", "flower-supernode", place.all))
    )
    record = run(place.all, path, tmp_path, DEADLINE, event)
    assert {failure.site for failure in record.failures} <= {"h2"}
    assert record.rounds[-1].answered == TRAINERS, "it is started again, and catches up"


def test_superlink_killed_and_resumed(place: Place, tmp_path: Path) -> None:
    study, path = place.study_file("superlink")
    link = psutil.Process(place.all.link.pid)
    event = Events(tmp_path, "asked", "train fusion 1", lambda: kill([link]))
    with pytest.raises(Exception):  # noqa: B017, PT011 - the control API is gone
        run(place.all, path, tmp_path, DEADLINE, event)
    place.all.link.stop()
    place.all.link.start()
    place.all.wait(list(study.sites))
    undisturbed(place, study, run(place.all, path, tmp_path, DEADLINE, lambda: None), tmp_path)


def test_one_hospital_is_slow(place: Place, tmp_path: Path) -> None:
    study, path = place.study_file("slow")
    (agent,) = of_hospital("h2", "agent", place.all) or [None]
    assert agent
    stop = threading.Event()

    def slow() -> None:
        while not stop.is_set():
            agent.send_signal(signal.SIGSTOP)
            time.sleep(0.9)
            agent.send_signal(signal.SIGCONT)
            time.sleep(0.1)

    event = Events(tmp_path, "asked", "describe", lambda: threading.Thread(target=slow, daemon=True).start())
    try:
        record = run(place.all, path, tmp_path, DEADLINE, event)
    finally:
        stop.set()
        agent.send_signal(signal.SIGCONT)
    undisturbed(place, study, record, tmp_path)


def test_network_cut(place: Place, tmp_path: Path) -> None:
    _, path = place.study_file("network")

    def cut() -> None:
        place.wire.cut = True
        threading.Timer(60, lambda: setattr(place.wire, "cut", False)).start()

    record = run(place.all, path, tmp_path, 240.0, Events(tmp_path, "asked", "train encoders 1", cut))
    assert record.rounds[-1].answered == TRAINERS
    print([(failure.site, failure.task, failure.sentence) for failure in record.failures])


def test_old_ledger_restored_between_runs(place: Place, tmp_path: Path) -> None:
    home, study = place.all.hospitals["h2"].home, place.study
    privacy = {"mechanism": "dp-sgd", "epsilon": 1.0, "delta": 1e-4}
    values = json.loads(study.text) | {"title": "ledger", "training": {"rounds": 1, "steps": 1}}
    values["privacy"] = privacy | {"stages": {"encoders": 0.5, "fusion": 0.5, "threshold": 0.0}}
    place.study = Study.model_validate_json(json.dumps(values))
    try:
        _, first = place.study_file("ledger, first")
        record = run(place.all, first, tmp_path / "first", DEADLINE, lambda: None)
        assert record.failures == ()
        lines = LedgerFile(home / "state").spends
        assert 0.99 < spent(lines, lines[0].delta) <= 1
        (home / "state" / "ledger.jsonl").unlink()
        (home / "state" / "egress.jsonl").unlink()
        _, second = place.study_file("ledger, second")
        record = run(place.all, second, tmp_path / "second", DEADLINE, lambda: None)
    finally:
        place.study = study
    assert {failure.site for failure in record.failures} == {"h2"}
    assert all("ledger-behind" in failure.sentence for failure in record.failures)
    assert record.rounds[-1].answered == ("h1", "h3")


def test_all_are_connected_in_the_end(place: Place) -> None:
    with Control(place.all.federation.control, place.all.federation.state / "ca.crt") as control:
        assert set(control.nodes().values()) == {"online"}
