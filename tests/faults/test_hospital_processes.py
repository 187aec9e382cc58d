"""What can go wrong at a hospital of a real federation: the study completes, says who was away, spends nothing anew."""

import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from server.record import RunRecord
from shared.study import Study
from tests.faults.processes import Events, Place, filled, kill, slowed, told

pytestmark = pytest.mark.slow
DEADLINE = 300.0  # seconds for an answer, also on a machine that has other work
BACK = 400.0  # seconds within which a hospital is let in again
CLOCK = Path(__file__).with_name("clock.c")
DAY = 86_400  # seconds
MOMENTS = ("before the outbox", "between outbox and ledger", "between ledger and log", "between log and sending")


def failures(record: RunRecord) -> dict[str, str]:
    """Who failed with what, of a hospital's last failure."""
    return {failure.site: failure.sentence for failure in record.failures}


def answered(record: RunRecord) -> dict[str, tuple[str, ...]]:
    """Who answered, by stage."""
    return {done.stage: done.answered for done in record.rounds}


def couriers(place: Place, folder: Path, task: str) -> list[psutil.Process]:
    """Those of h1 that carry a task, and not one of the question before that still ends."""
    asked = next((line["time"] for line in told(folder) if line.get("task") == task), time.time())
    return [one for one in place.of_hospital("flwr-clientapp", "h1") if one.create_time() > asked]


def test_courier_killed_before_it_has_its_message(place: Place, tmp_path: Path) -> None:
    """Another one is started when Flower has noticed, and nobody failed."""
    study, path = place.study_file("courier killed early", private=True)
    here = partial(couriers, place, tmp_path, "train encoders 1")
    event = Events(tmp_path, "asked", "train encoders 1", lambda: kill(here()), ready=here)
    record = place.run(path, tmp_path, DEADLINE, event)
    assert event.done
    print(seconds(tmp_path))
    assert "h2" in record.trainers
    all_noted_once(place, study, record)


def test_courier_killed_while_it_waits_for_the_agent(place: Place, tmp_path: Path) -> None:
    """The hospital is named, and asked again in the next round; what its agent released meanwhile stays noted."""
    study, path = place.study_file("courier killed late", private=True)

    def waiting() -> list[psutil.Process]:
        found = couriers(place, tmp_path, "train encoders 1")
        return [one for one in found if one.net_connections("unix")]  # it holds the agent's socket

    (agent,) = place.of_hospital("agent", "h1")[:1]
    stop = Events(tmp_path, "asked", "train encoders 1", agent.suspend)
    end = Events(tmp_path, "asked", "train encoders 1", lambda: (kill(waiting()), agent.resume()), ready=waiting)
    record = place.run(path, tmp_path, DEADLINE, lambda: (stop(), end()))
    assert end.done
    print(seconds(tmp_path), failures(record))
    assert [(failure.site, failure.task) for failure in record.failures] == [("h1", "train encoders 1")]
    assert answered(record) == {"encoders": ("h2", "h3"), "fusion": ("h1", "h2", "h3")}
    place.books_hold(study, record)


def seconds(folder: Path) -> dict[str, float]:
    """How long each hospital took for each answer."""
    return {f"{line['site']}, {line['task']}": line["seconds"] for line in told(folder) if line["event"] == "answered"}


def test_agents_killed_at_each_moment_of_a_release(place: Place, tmp_path: Path) -> None:
    """Their couriers wait for the new agents: nobody failed, and each round has one line, whose bytes were sent."""
    study, path = place.study_file("agents killed", private=True)
    for name, moment in zip(("h1", "h2", "h3"), MOMENTS, strict=False):
        arm(place, name, moment)

    def again() -> None:
        arm(place, "h1", MOMENTS[3])
        kill(place.of_hospital("agent", "h3")[:1])  # after its answer has arrived

    event = Events(tmp_path, "round", None, again)
    record = place.run(path, tmp_path, DEADLINE, event)
    assert event.done
    assert not [name for name in study.sites if moment_file(place, name).exists()], "a moment did not come"
    all_noted_once(place, study, record)


def all_noted_once(place: Place, study: Study, record: RunRecord) -> None:
    assert record.failures == ()
    place.books_hold(study, record)
    for name in record.trainers:
        lines = place.spends(name, study)
        assert [(line.stage, line.round) for line in lines] == [("encoders", 1), ("fusion", 1)]
        assert {(line.stage, line.round) for line in record.ledger if line.site == name} == {
            ("encoders", 1),
            ("fusion", 1),
        }


def moment_file(place: Place, name: str) -> Path:
    return place.all.hospitals[name].home / "moment"


def arm(place: Place, name: str, moment: str) -> None:
    """Let a hospital's agent end when it comes to a moment."""
    moment_file(place, name).write_text(moment)


def test_supernode_killed_and_back(place: Place, tmp_path: Path) -> None:
    """The round goes on without the hospital when Flower has noticed, or at the deadline; it comes back by itself."""
    study, path = place.study_file("supernode killed", private=True)
    event = Events(tmp_path, "asked", "train encoders 1", lambda: kill(place.of_hospital("supernode", "h1")))
    record = place.run(path, tmp_path, DEADLINE, event)
    print(
        "study completed", round(time.monotonic() - event.done), "s after the kill;", failures(record), answered(record)
    )
    assert set(failures(record)) == {"h1"}
    assert answered(record)["encoders"] == ("h2", "h3")
    place.all.wait(["h1"], BACK)
    print("back after", round(time.monotonic() - event.done), "s")
    place.books_hold(study, record)
    study, path = place.study_file("supernode back", private=True)
    all_noted_once(place, study, place.run(path, tmp_path / "back", DEADLINE))


def test_one_hospital_slow_by_a_factor_of_ten(place: Place, tmp_path: Path) -> None:
    """Its answers are waited for, within the deadline."""
    study, path = place.study_file("slow", private=True)
    with slowed(place.all.hospitals["h2"].pid, times=10):
        record = place.run(path, tmp_path, DEADLINE)
    print(seconds(tmp_path))
    assert answered(record) == {"encoders": ("h1", "h2", "h3"), "fusion": ("h1", "h2", "h3")}
    all_noted_once(place, study, record)


def test_network_cut_for_a_minute(place: Place, tmp_path: Path) -> None:
    """Nothing is lost when the wire is whole again."""
    study, path = place.study_file("network cut", private=True)
    event = Events(tmp_path, "asked", "train encoders 1", lambda: place.wire.cut(60.0))
    record = place.run(path, tmp_path, DEADLINE, event)
    assert event.done
    print(failures(record), answered(record))
    assert set(failures(record)) <= {"h3"}
    assert set(answered(record)["encoders"]) >= {"h1", "h2"}
    place.books_hold(study, record)
    place.all.wait(["h3"], BACK)


def test_disk_full_at_a_hospital(place: Place, tmp_path: Path) -> None:
    """It refuses in a sentence, the others go on, and with room again it answers."""
    state = place.site("h2").state
    if not state.is_mount():
        pytest.skip("a file system cannot be mounted here")
    study, path = place.study_file("disk full at a hospital", private=True)
    room: list[Path] = []
    full = Events(tmp_path, "asked", "train encoders 1", lambda: room.append(filled(state)))
    again = Events(tmp_path, "round", None, lambda: room.pop().unlink())
    record = place.run(path, tmp_path, DEADLINE, lambda: (full(), again()))
    assert full.done
    assert again.done
    (failure,) = record.failures
    assert (failure.site, failure.task) == ("h2", "train encoders 1")
    assert failure.sentence.startswith("refused (disk-full): this hospital's disk is full")
    assert answered(record)["fusion"] == ("h1", "h2", "h3")
    place.books_hold(study, record)
    assert [(line.stage, line.round) for line in place.spends("h2", study)] == [("fusion", 1)]


def test_old_ledger_put_back(place: Place, tmp_path: Path) -> None:
    """The hospital answers nothing until a person signs; what its egress log knows to be spent is entered again."""
    site, hospital = place.site("h2"), place.all.hospitals["h2"]
    shutil.copy(site.state / "ledger.jsonl", tmp_path / "old") if (site.state / "ledger.jsonl").exists() else None
    before, path = place.study_file("before the ledger is put back", private=True)
    place.run(path, tmp_path / "before", DEADLINE)
    hospital.leave()
    put_back(tmp_path / "old", site.state / "ledger.jsonl")
    assert place.spends("h2", before) == []
    hospital.join()
    study, path = place.study_file("ledger put back", private=True)
    signed = ("ledger", "--resolve", "--by", "A. Name", "--reason", "an old copy was put back")
    event = Events(tmp_path / "after", "round", None, lambda: hospital.type(*signed))
    record = place.run(path, tmp_path / "after", DEADLINE, event)
    assert event.done
    assert set(failures(record)) == {"h2"}
    assert failures(record)["h2"].startswith("refused (ledger-behind)")
    assert answered(record) == {"encoders": ("h1", "h3"), "fusion": ("h1", "h2", "h3")}
    assert [(line.stage, line.round) for line in place.spends("h2", before)] == [("encoders", 1), ("fusion", 1)]
    assert [(line.stage, line.round) for line in place.spends("h2", study)] == [("fusion", 1)]


def put_back(old: Path, ledger: Path) -> None:
    ledger.unlink()
    if old.exists():
        shutil.copy(old, ledger)


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (Debian: apt-get install gcc libc6-dev)")
@pytest.mark.parametrize(
    ("shift", "reason"), [(DAY, "clock is 24 h 0 min ahead of"), (-DAY, "certificate is not yet valid")]
)
def test_clock_off_by_a_day(
    shift: int, reason: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hospital is not let in, its log has the reason, the study goes on without it; with the clock right it is."""
    hospital = place.all.hospitals["h1"]
    study, path = place.study_file(f"clock {shift}", private=True)
    hospital.leave()
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(CLOCK)], check=True)
    with monkeypatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(library))
        patch.setenv("CLOCK_SHIFT", str(shift))
        hospital.join()
    record = place.run(path, tmp_path, 100.0)
    log = (hospital.home / "courier" / "supernode.log").read_text()
    assert reason in log
    assert failures(record) == {"h1": "not connected"}
    assert answered(record) == {"encoders": ("h2", "h3"), "fusion": ("h2", "h3")}
    place.books_hold(study, record)
    hospital.leave()
    hospital.join()
    place.all.wait(["h1"], BACK)
