"""The Flower app bundle holds all that both apps need, and nothing of simulations or tests."""

import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from flwr.cli.build import build_fab_from_disk
from flwr.cli.utils import validate_project_name

ROOT = Path(__file__).parents[1]
# Flower's builder names a pattern class that pathspec has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
SHIPPED = ("shared", "client", "server")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle made by Flower's own builder from a copy of the checkout, and unpacked elsewhere."""
    copy, place = tmp_path_factory.mktemp("checkout") / "medley", tmp_path_factory.mktemp("unpacked")
    copy.mkdir()
    for name in ("pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    for name in (*SHIPPED, "simulations", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    validate_project_name(copy.name, "the folder")
    with zipfile.ZipFile(BytesIO(build_fab_from_disk(copy))) as bundle:
        bundle.extractall(place)
    return place


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_program_and_every_study_of_the_catalog_is_in_it(unpacked: Path) -> None:
    due = {path.relative_to(ROOT).as_posix() for part in SHIPPED for path in (ROOT / part).rglob("*.py")}
    due |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "shared/studies").glob("*.toml")}
    assert "shared/studies/lscc-staging.toml" in due
    assert due <= files(unpacked)


def test_nothing_else_is_in_it(unpacked: Path) -> None:
    assert {name.split("/")[0] for name in files(unpacked)} == {*SHIPPED, "pyproject.toml", ".info"}


def test_both_apps_start_from_it(unpacked: Path, tmp_path: Path) -> None:
    program = (
        "import sys, client.app, server.app, shared.study_file as s; "
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('client', 'server', 'shared')), "
        "sep='\\n'); s.load_study('lscc-staging')"
    )
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    found = [Path(line) for line in done.stdout.split()]
    assert len(found) > 10
    assert all(path.is_relative_to(unpacked) for path in found)
