"""What can go wrong at the server of a real federation: the run says so, is resumed, and ends as if undisturbed."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from server.record import RunRecord
from shared.errors import RunError
from shared.study import Study
from simulations.federation import run_federation
from tests.faults.processes import Events, Place, disk, filled, kill

pytestmark = pytest.mark.slow
DEADLINE = 300.0  # seconds for an answer, also on a machine that has other work
TASKS = ["train encoders 1", "train fusion 1", "evaluate"]


def undisturbed(place: Place, study: Study, record: RunRecord, folder: Path) -> None:
    """The same models as in one process without any fault."""
    calm = run_federation(study, place.folder / "data", folder / "calm", {})
    (mine,), (theirs,) = ((base / "models").iterdir() for base in (folder, calm.folder))
    for name, values in load_file(theirs).items():
        np.testing.assert_allclose(load_file(mine)[name], values, rtol=0, atol=1e-6)
    assert record.failures == ()
    place.books_hold(study, record)


@pytest.mark.parametrize("task", TASKS)
def test_server_app_killed_and_resumed(task: str, place: Place, tmp_path: Path) -> None:
    study, path = place.study_file(f"server app, {task}")
    event = Events(tmp_path, "asked", task, lambda: kill(place.of_server("flwr-serverapp")))
    with pytest.raises(RunError, match="server resume"):
        place.run(path, tmp_path, DEADLINE, event)
    assert event.done
    undisturbed(place, study, place.run(path, tmp_path, DEADLINE), tmp_path)


def test_superlink_killed_started_again_and_resumed(place: Place, tmp_path: Path) -> None:
    study, path = place.study_file("superlink killed")
    event = Events(tmp_path, "asked", "train fusion 1", lambda: kill([place.server]))
    with pytest.raises(RunError, match=r"the server does not answer.*\n.*server resume"):
        place.run(path, tmp_path, DEADLINE, event)
    assert event.done
    place.all.link.stop()
    place.all.link.start()
    place.all.wait(list(study.sites))
    undisturbed(place, study, place.run(path, tmp_path, DEADLINE), tmp_path)


def test_disk_full_at_the_server(place: Place, tmp_path: Path) -> None:
    study, path = place.study_file("disk full at the server")
    with disk(tmp_path / "disk", kilobytes=4000) as mounted:
        if not mounted:
            pytest.skip("a file system cannot be mounted here")
        folder, room = tmp_path / "disk" / "run", list[Path]()
        event = Events(folder, "asked", "train fusion 1", lambda: room.append(filled(tmp_path / "disk")))
        with pytest.raises(RunError, match=r"the disk of the run's folder is full.*\n.*server resume"):
            place.run(path, folder, DEADLINE, event)
        assert event.done
        room[0].unlink()
        undisturbed(place, study, place.run(path, folder, DEADLINE), folder)
