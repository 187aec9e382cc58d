"""A server app killed in each step of a real federation: the run says so, is resumed, and ends as if undisturbed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from server.record import RunRecord
from shared.errors import RunError
from shared.study import Study
from simulations.federation import run_federation
from simulations.real_federation import RealFederation
from tests.faults.processes import Events, kill, of_server, run
from tests.many import CALM, hospitals

pytestmark = pytest.mark.slow
DEADLINE = 90.0  # seconds; what is lost costs a round that long
DECLARED = 'evaluation.threshold={rule="declared", value=0.5}'  # no question of its own


class Place:
    """The federation that all rows of the table share: three hospitals train, one validates."""

    def __init__(self, folder: Path, all_: RealFederation, study: Study) -> None:
        self.folder, self.all, self.study = folder, all_, study

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
    files = {name: folder / "data" / name / "site.toml" for name in study.sites}
    with RealFederation(files, folder / "federation") as all_:
        all_.join(list(study.sites), [])
        yield Place(folder, all_, study)
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
