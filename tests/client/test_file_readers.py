"""Bytes and grids: whole, short and broken files, and none that is executed."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from client.readers import grid, payload
from client.readers.reading import TOO_LARGE, Reading
from shared.modalities.grid import Grid
from shared.modalities.payload import Payload
from tests.reads import read, tensor_of

SESSION = Payload.model_validate({"kind": "bytes", "path": "session", "length": 8})
RADAR = Grid.model_validate({"kind": "grid", "path": "radar", "frames": 3, "shape": (1, 4, 4), "range": (0.0, 10.0)})


def test_bytes_are_numbers_from_one_and_end_in_zeros(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes([0, 255, 7]))
    (tmp_path / "b").write_bytes(bytes(range(100)))
    short = tensor_of(read(SESSION, {"session": "a"}, tmp_path))
    assert short.dtype == torch.int16
    assert short.tolist() == [1, 256, 8, 0, 0, 0, 0, 0]
    assert tensor_of(read(SESSION, {"session": "b"}, tmp_path)).tolist() == list(range(1, 9))
    (tmp_path / "c").write_bytes(b"")
    assert read(SESSION, {"session": "c"}, tmp_path) == Reading(None, (payload.NOTHING,))


def saved(folder: Path, values: Any, name: str = "r.npy", **arrays: Any) -> dict[str, str]:
    if name.endswith(".npz"):
        np.savez_compressed(folder / name, values, **arrays)
    else:
        np.save(folder / name, values)
    return {"radar": name}


@pytest.mark.parametrize("name", ["r.npy", "r.npz"])
@pytest.mark.parametrize("kind", ["u1", "<f8", ">i2"])
def test_the_last_frames_are_scaled_and_early_ones_that_lack_are_zeros(tmp_path: Path, name: str, kind: str) -> None:
    frames = np.arange(5).reshape(5, 1, 1, 1) * np.ones((5, 1, 4, 4)) * 4
    found = tensor_of(read(RADAR, saved(tmp_path, frames.astype(kind), name), tmp_path))
    assert found[:, 0, 0, 0].numpy() == pytest.approx([0.8, 1, 1])
    short = tensor_of(read(RADAR, saved(tmp_path, frames[1:2].astype(kind), name), tmp_path))
    assert short[:, 0, 0, 0].numpy() == pytest.approx([0, 0, 0.4])


def test_bad_grids_are_absent_with_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = np.ones((3, 1, 4, 4))
    for values in (good[:, 0], good[:, :, :3], good[:0]):
        assert read(RADAR, saved(tmp_path, values), tmp_path) == Reading(None, (grid.WRONG_SHAPE,))
    assert read(RADAR, saved(tmp_path, good * np.nan), tmp_path) == Reading(None, (grid.NOT_FINITE,))
    assert read(RADAR, saved(tmp_path, good.astype(str)), tmp_path) == Reading(None, (grid.UNREADABLE,))
    assert read(RADAR, saved(tmp_path, good, "r.npz", other=good), tmp_path) == Reading(None, (grid.SEVERAL,))
    saved(tmp_path, good)
    (tmp_path / "r.npy").write_bytes((tmp_path / "r.npy").read_bytes()[:-8])
    assert read(RADAR, {"radar": "r.npy"}, tmp_path) == Reading(None, (grid.UNREADABLE,))
    monkeypatch.setattr("client.readers.grid.MOST_BYTES", 100)
    assert read(RADAR, saved(tmp_path, good, "r.npz"), tmp_path) == Reading(None, (TOO_LARGE,))


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("name", ["r.npy", "r.npz", "r.pkl"])
def test_nothing_is_executed(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "r.pkl":
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    else:
        saved(tmp_path, np.array([Trap()], dtype=object), name)
    found = read(RADAR, {"radar": name}, tmp_path)
    assert found == Reading(None, (grid.UNREADABLE,))
    assert not (tmp_path / "sprung").exists()
