"""The steps of docs/coordinator.md, typed as they are written, end in a report."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "coordinator.md").read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.slow
def test_the_steps_end_in_a_report(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 6
    for name in ("client", "server", "shared", "simulations", "pyproject.toml", ".gitignore", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    script = "set -e\n" + "\n".join(BLOCKS)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    with (tmp_path / "out").open("wb") as out:
        shell = subprocess.Popen(["bash", "-c", script], cwd=tmp_path, env=environment, stdout=out, stderr=out)
        try:
            code = shell.wait(500)
        finally:
            end_all_below(tmp_path)
    told = (tmp_path / "out").read_text()
    assert code == 0, told
    assert "north: online" in told
    assert "Traceback" not in told
    (report,) = tmp_path.glob("try/results/*/report.html")
    assert "north" in report.read_text()


def end_all_below(folder: Path) -> None:
    """End what the steps left running: processes that work in the folder; first those that end their own."""
    ours = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.pid != os.getpid():
                ours.append(process)
        except psutil.Error:
            continue
    for process in ours:
        process.terminate()
    _, left = psutil.wait_procs(ours, timeout=40)
    for process in left:
        process.kill()
