"""The engines give the same models and the same figures without privacy, by the command that people type."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from shared.command_line import DONE, run_command
from simulations.__main__ import parser, run
from tests.many import CALM
from tests.small import SITES, STUDY, hospital


@pytest.mark.slow
def test_real_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    for name in SITES:
        hospital(tmp_path / "data", name, open_to_all=True)
    (tmp_path / "small.toml").write_text(STUDY, encoding="utf-8")
    found = {}
    for engine in ("in-process", "superlink"):
        words = ["run", str(tmp_path / "small.toml"), "--data", str(tmp_path / "data"), "--engine", engine]
        words += ["--results", str(tmp_path / engine), "--set", CALM, "--set", "training.rounds=1"]
        given = parser().parse_args(words)
        assert run_command(lambda given=given: run(given)) == DONE
        (folder,) = (tmp_path / engine).iterdir()
        (models,) = (folder / "models").iterdir()
        found[engine] = (load_file(models), json.loads((folder / "results.json").read_text()))
    (here, figures), (there, others) = found["in-process"], found["superlink"]
    assert here.keys() == there.keys()
    for name, values in here.items():
        np.testing.assert_allclose(there[name], values, rtol=0, atol=1e-6)
    assert others["engine"] == "superlink"
    for told in (figures, others):
        del told["engine"], told["timing"]
    assert figures == others
