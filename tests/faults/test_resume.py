"""A coordinator killed at any step (SIGKILL) and started again: the same models, and nothing spent twice."""

import json
import multiprocessing
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from client.chain import read_chain
from client.ledger_file import LedgerFile
from client.state import EGRESS
from server.checkpoint import load_checkpoint, previous_of
from server.record import load_records
from shared.errors import RunError
from shared.privacy.records import spent
from shared.wire import Arrays
from tests.faults.coordinator import coordinate
from tests.small import SITES, hospital, run_of, small_study

FORKS = multiprocessing.get_context("forkserver")
CALM = 'privacy={mechanism="none"}'
# 3 hospitals count, 2 x 2 rounds of 2 hospitals, tallies of 2, figures of 3: 16 questions, 16 answers
MOMENTS = [("message", 10), ("before-file", 8)]
MORE = [("message", number) for number in (1, 4, 7, 14, 17, 20, 24, 28, 32)]
MORE += [(kind, number) for kind in ("before-file", "after-file") for number in (1, 3, 5, 9, 13)]
MOMENTS += [pytest.param(moment, marks=pytest.mark.slow) for moment in MORE]


class Place:
    """Hospitals, a study and a results folder, and the processes that ran it."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.data, self.folder = folder / "data", folder / "results"
        for name in SITES:
            hospital(self.data, name, open_to_all=True)
        self.study = small_study(folder, *overrides)
        self.run = run_of(self.study)
        self.file = folder / "study.json"
        self.file.write_text(self.study.text, encoding="utf-8")

    def coordinate(self, moment: tuple[str, int] | None = None) -> int:
        """Exit code of a process that runs, or resumes, the study."""
        process = FORKS.Process(target=coordinate, args=(self.file, self.data, self.folder, moment))
        process.start()
        process.join(120)
        assert process.exitcode is not None
        return process.exitcode

    @property
    def models(self) -> Arrays:
        (path,) = (self.folder / "models").iterdir()
        return load_file(path)

    @property
    def checkpoint(self) -> Path:
        (path,) = [p for p in (self.folder / "checkpoints").glob("*.safetensors") if "previous" not in p.name]
        return path

    def state(self, site: str) -> Path:
        return self.folder / "hospitals" / site / self.run.name


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    FORKS.set_forkserver_preload(["tests.faults.coordinator"])


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    """Models of a run without privacy that nothing disturbed."""
    place = Place(tmp_path_factory.mktemp("calm"), CALM)
    assert place.coordinate() == 0
    return place.models


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_without_privacy_the_models_are_the_same(moment: tuple[str, int], tmp_path: Path, calm: Arrays) -> None:
    place = Place(tmp_path, CALM)
    assert place.coordinate(moment) == -signal.SIGKILL
    assert place.coordinate() == 0
    models = place.models
    assert models.keys() == calm.keys()
    for name, values in calm.items():
        np.testing.assert_allclose(models[name], values, rtol=0, atol=1e-6)
    (record,) = load_records(place.folder)
    assert [(done.stage, done.round) for done in record.rounds] == [
        ("encoders", 1),
        ("encoders", 2),
        ("fusion", 1),
        ("fusion", 2),
    ]
    assert record.failures == ()


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_under_privacy_nothing_is_spent_twice_and_the_same_bytes_go_again(
    moment: tuple[str, int], tmp_path: Path
) -> None:
    place = Place(tmp_path)
    assert place.coordinate(moment) == -signal.SIGKILL
    assert place.coordinate() == 0
    (record,) = load_records(place.folder)
    assert record.failures == ()
    for site in ("north", "west"):
        lines = LedgerFile(place.state(site)).spends
        rounds = Counter((line.stage, line.round) for line in lines)
        assert set(rounds.values()) == {1}
        assert len(rounds) == 5
        assert 0.99 * 8 < spent(lines, lines[0].delta) <= 8
        digests = {line.digest for line in lines}
        sent = [link.values for link in read_chain(place.state(site) / EGRESS).links if link.values["spend"]]
        assert {line["digest"] for line in sent} == digests
        assert {(line.stage, line.round) for line in record.ledger if line.site == site} == set(rounds)
        assert len(record.ledger) == 10


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, calm: Arrays) -> None:
    place = Place(tmp_path, CALM)
    assert place.coordinate(("message", 20)) == -signal.SIGKILL
    content = bytearray(place.checkpoint.read_bytes())
    content[-5] ^= 1
    place.checkpoint.write_bytes(content)
    assert place.coordinate() == 0
    for name, values in calm.items():
        np.testing.assert_allclose(place.models[name], values, rtol=0, atol=1e-6)
    (record,) = load_records(place.folder)
    (note,) = record.notes
    assert note.endswith("was damaged: the run went on from the one before it, stage encoders, round 2")


@pytest.mark.parametrize("damage", [b"", b"no tensors", b"\xff" * 4000])
def test_damage_of_every_copy_is_told(damage: bytes, tmp_path: Path) -> None:
    place = Place(tmp_path, CALM)
    assert place.coordinate(("message", 20)) == -signal.SIGKILL
    for path in (place.checkpoint, previous_of(place.checkpoint)):
        path.write_bytes(damage)
    with pytest.raises(RunError, match="is damaged or of another run, and the one before it is not whole either"):
        load_checkpoint(place.checkpoint, place.run)


def test_a_checkpoint_of_another_run_is_not_taken(tmp_path: Path) -> None:
    place = Place(tmp_path, CALM)
    assert place.coordinate(("message", 20)) == -signal.SIGKILL
    assert load_checkpoint(place.checkpoint, place.run)
    with pytest.raises(RunError, match="of another run"):
        load_checkpoint(place.checkpoint, place.run.model_copy(update={"fold": "other"}))


def test_heads_are_kept_with_the_run(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.coordinate() == 0
    (path,) = (place.folder / "heads").iterdir()
    heads = json.loads(path.read_text())
    assert set(heads) == set(SITES)
    links = read_chain(place.state("north") / "ledger.jsonl").links
    assert heads["north"] == links[-1].hash
