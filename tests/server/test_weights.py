"""The start of a run and of its fusions are the same from a process of their own; a server stays without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from server.weights import fused_start
from tests.small import first_weights, small_study

PROGRAM = """
import sys
from pathlib import Path
from safetensors.numpy import load_file, save_file
import server.app, server.rounds
from server.weights import fused_start, initial_weights
from shared.study_file import study_from_text

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    study = study_from_text((folder / "study.json").read_text())
    save_file(initial_weights(study, folder / "run"), folder / "first")
    save_file(fused_start(study, load_file(folder / "trained"), folder / "run"), folder / "fused")
    assert list((folder / "run").iterdir()) == []
    assert not {"torch", "pandas", "sklearn", "scipy.stats"} & set(sys.modules)
"""


def test_a_server_without_torch_starts_from_the_same_weights(tmp_path: Path) -> None:
    study, program = small_study(tmp_path), tmp_path / "program.py"
    (tmp_path / "study.json").write_text(study.text)
    program.write_text(PROGRAM)
    first = first_weights(study)
    trained = {name: np.ascontiguousarray(values + 0.25) for name, values in first.items()}
    save_file(trained, tmp_path / "trained")
    subprocess.run([sys.executable, program, tmp_path], check=True, env={"PYTHONPATH": str(Path(__file__).parents[2])})
    for name, wanted in (("first", first), ("fused", fused_start(study, trained, tmp_path))):
        found = load_file(tmp_path / name)
        assert found.keys() == wanted.keys()
        for key, values in wanted.items():
            np.testing.assert_array_equal(found[key], values)
