"""The engines give the same models and the same figures without privacy, by the command that people type."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from shared.command_line import WRONG_CALL, run_command
from shared.wire import Arrays
from simulations.__main__ import parser, run
from simulations.real_federation import environment
from tests.many import CALM
from tests.small import SITES, STUDY, hospital

RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: flwr[simulation]")
Found = tuple[Arrays, dict[str, Any]]


def ran(folder: Path, engine: str) -> Found:
    """Weights, and the figures of results.json."""
    words = ["run", "small.toml", "--data", "data", "--engine", engine, "--results", engine]
    call = [sys.executable, "-m", "simulations", *words, "--set", CALM, "--set", "training.rounds=1"]
    done = subprocess.run(
        call, cwd=folder, env={**os.environ, **environment(3)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (results,) = (folder / engine).iterdir()
    (models,) = (results / "models").iterdir()
    return load_file(models), json.loads((results / "results.json").read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines")
    for name in SITES:
        hospital(folder / "data", name, open_to_all=True)
    (folder / "small.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def here(place: Path) -> Found:
    return ran(place, "in-process")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["superlink", pytest.param("ray", marks=RAY)])
def test_another_engine_gives_what_one_process_gives(engine: str, place: Path, here: Found) -> None:
    (weights, figures), (theirs, others) = here, ran(place, engine)
    assert weights.keys() == theirs.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(theirs[name], values, rtol=0, atol=1e-6)
    assert others["engine"] == engine
    run_alone = {"engine", "timing"}
    assert {key: told for key, told in figures.items() if key not in run_alone} == {
        key: told for key, told in others.items() if key not in run_alone
    }


def test_without_ray_it_is_told_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else found(name, *more))
    given = parser().parse_args(["run", "lscc-staging", "--engine", "ray", "--results", str(tmp_path / "results")])
    assert run_command(lambda: run(given)) == WRONG_CALL
    told = capsys.readouterr().err
    assert told == (
        "--engine: ray: needs Ray, which is not installed (pip install -c constraints.txt 'flwr[simulation]')\n"
    )
    assert not (tmp_path / "results").exists()
