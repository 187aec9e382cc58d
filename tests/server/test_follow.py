"""A run that stopped says why, and its journal can be read whatever moment stopped it."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from server import follow
from server.commands.status import of_run
from server.control import Control, RunState
from server.diary import Journal, journal_file, read_journal
from server.federation_file import load_federation
from server.follow import reason
from server.provisioning import provision
from server.run_folder import Plan, open_folder
from shared.command_line import DONE
from shared.errors import RunError
from tests.resident import free_port
from tests.small import small_study


def test_a_torn_line_of_the_journal_is_cut_and_the_run_goes_on(tmp_path: Path) -> None:
    """What a full disk or a crash left of a line must not spoil the next one."""
    path = journal_file(tmp_path, "federated")
    Journal(path).tell("asked", task="describe", sites=[])
    with path.open("a") as file:
        file.write('{"event": "answ')
    assert [line["event"] for line in read_journal(path)] == ["asked"]
    Journal(path).tell("finished")
    assert [line["event"] for line in read_journal(path)] == ["asked", "finished"]


def test_a_full_disk_is_told_before_what_the_run_could_still_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(journal_file(tmp_path, "federated")).tell("stopped", reason="too few hospitals")
    assert reason(tmp_path) == "too few hospitals"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    assert reason(tmp_path) == "the disk of the run's folder is full (0.0 MB are free): make room"


def test_a_server_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "federation.toml"
    path.write_text(
        f'name = "gone"\naddress = "127.0.0.1:{free_port()}"\nlisten = {free_port()}\n'
        '[hospitals]\na = { request = "a" }\n'
    )
    federation = load_federation(path)
    provision(federation)
    with Control(federation.control, federation.state / "ca.crt") as control:
        for question in (control.nodes, lambda: control.state(1), lambda: control.stop(1)):
            with pytest.raises(RunError, match="the server does not answer"):
                question()


def test_status_shows_who_answered_and_who_is_at_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    folder = open_folder(tmp_path, small_study(tmp_path), Plan(federation="", arms=("federated",), deadline=60.0))
    journal = Journal(journal_file(folder, "federated"))
    journal.tell("asked", task="train encoders 1", sites=["north", "west"])
    journal.tell("answered", task="train encoders 1", site="north", seconds=2.5, bytes=1_500_000, epsilon=3.0)
    journal.tell("failed", task="train encoders 1", site="west", sentence="no answer within 60 s")
    journal.tell("round", stage="encoders", round=1, answered=["north"], seconds=60.0)
    journal.tell("asked", task="train encoders 2", sites=["north", "west"])
    journal.tell("answered", task="train encoders 2", site="west", seconds=4.5, bytes=1_500_000, epsilon=5.5)
    later = time.time() + 42.0
    monkeypatch.setattr(time, "time", lambda: later)
    assert of_run(folder, watch=False) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert "encoders, round 1 done in 60.0 s by north" in lines[0]
    assert [" ".join(line.split()) for line in lines[2:4]] == [
        "north train encoders 2 asked 42 1 1.50 3.00 5.00",  # at work for 42 s
        "west train encoders 2 answered 4.5 1 1.50 5.50 2.50",
    ]


def test_a_server_that_answers_again_is_followed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of a control that fails twice, as where Flower's database was locked; and of one that stays away."""
    monkeypatch.setattr(follow, "POLL", 0.01)
    fails = [2]

    def state(number: int) -> RunState:
        fails[0] -= 1
        if fails[0] >= 0:
            raise RunError("the server does not answer")
        return RunState("running", "", "")

    assert follow._state(SimpleNamespace(state=state), 1).status == "running"
    monkeypatch.setattr(follow, "PATIENCE", 0.05)
    fails[0] = 10_000
    with pytest.raises(RunError):
        follow._state(SimpleNamespace(state=state), 1)
