"""Adding a toy modality, fusion and outcome touches only what the README's table says, and then they work."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("shared", "client", "server", "simulations", "tests")
MODALITY = '''
"""Two numbers in one cell, as "3;4"."""

from typing import Literal

from pydantic import Field

from shared.modalities.base import Input


class Pair(Input):
    """A patient is (2,): both numbers as they stand."""

    kind: Literal["pair"]
    encoder: Literal["weighed"] = "weighed"
    width: int = Field(default=1, ge=1)
    column: str

    @property
    def cells(self) -> list[str]:
        """The one column."""
        return [self.column]

    @property
    def shape(self) -> tuple[int, ...]:
        """Two numbers."""
        return (2,)
'''
READER = '''
"""Reads two numbers from one cell."""

import torch

from client.readers.reading import Case, Reader, Reading, Source
from shared.modalities.pair import Pair


def open_pair(spec: Pair, source: Source) -> Reader:
    """Reads (2,)."""

    def look(case: Case) -> Reading:
        text = case.row.get(spec.column, "")
        return Reading(torch.tensor([float(part) for part in text.split(";")]) if text else None)

    return Reader(look, "not two numbers")
'''
ENCODER = '''
"""Two numbers under one matrix."""

from shared.encoders.base import FixedFeatures, Spec


class Weighed(FixedFeatures):
    """(patients, 2) to (patients, width)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(2, spec.width)
'''
FUSION = '''
"""The plain sum of the modalities' own scores."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from shared.fusions.base import Fusion, keep, start_sum
from shared.heads import Head, Outputs, zero_head


class Total(Fusion):
    """Starts as the sum of the single models' log odds."""

    def __init__(self, widths: Mapping[str, int], outputs: Outputs) -> None:
        super().__init__(widths)
        self.heads = nn.ModuleDict({name: zero_head(width, outputs) for name, width in widths.items()})

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """The trained heads of the modalities."""
        start_sum(self.heads, heads)

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        known = {name: keep(embeddings[name], present[name]) for name in self.modalities}
        return torch.stack([keep(self.heads[name](known[name]), present[name]) for name in self.modalities]).sum(dim=0)
'''
OUTCOME = '''
"""Days in hospital."""

from typing import Literal

from shared.outcomes.numbers import Numbers


class Stay(Numbers):
    """A number of days."""

    kind: Literal["stay"]
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    @property
    def phrase(self) -> str:
        """For readers."""
        return f"days until {self.column}"
'''
NEW = {
    "shared/modalities/pair.py": MODALITY,
    "client/readers/pair.py": READER,
    "shared/encoders/weighed.py": ENCODER,
    "shared/fusions/total.py": FUSION,
    "shared/outcomes/stay.py": OUTCOME,
}
LINES = [  # file, what stands there, what is put before or in its place
    ("shared/modalities/__init__.py", "from shared.modalities.payload", "from shared.modalities.pair import Pair\n{}"),
    ("shared/modalities/__init__.py", '    "grid": Grid,', '{}\n    "pair": Pair,'),
    ("shared/modalities/__init__.py", "Payload | Grid,", "Payload | Grid | Pair,"),
    ("client/readers/__init__.py", "from client.readers.payload", "from client.readers.pair import open_pair\n{}"),
    ("client/readers/__init__.py", '    "grid": open_grid,', '{}\n    "pair": open_pair,'),
    ("shared/encoders/__init__.py", "from shared.encoders.window", "from shared.encoders.weighed import Weighed\n{}"),
    ("shared/encoders/__init__.py", '    "bytes": {', '    "pair": {{"weighed": Entry(Weighed, "vmap")}},\n{}'),
    ("shared/fusions/__init__.py", "from shared.heads", "from shared.fusions.total import Total\n{}"),
    ("shared/fusions/__init__.py", '    "late": Late,', '{}\n    "total": Total,'),
    ("shared/study.py", '        "cooperative",', '{}\n        "total",'),
    ("shared/outcomes/__init__.py", "from shared.outcomes.surv", "from shared.outcomes.stay import Stay\n{}"),
    ("shared/outcomes/__init__.py", '    "forecast": Forecast,', '{}\n    "stay": Stay,'),
    ("shared/outcomes/__init__.py", "Regression | Forecast,", "Regression | Forecast | Stay,"),
    ("shared/losses/__init__.py", '    "forecast": squared_loss,', '{}\n    "stay": squared_loss,'),
]
SAMPLES = [
    ("tests/encoder_samples.py", "PATIENTS = 3", "from shared.modalities.pair import Pair\n\n{}"),
    ("tests/encoder_samples.py", '    "text": (Text', '    "pair": (Pair, {{"column": "both"}}),\n{}'),
    ("tests/contracts/test_outcomes.py", '    "forecast": {"hor', '    "stay": {{"column": "level", **NUMBER}},\n{}'),
]
RUN = """
from pathlib import Path

from server.record import load_records
from simulations.arms import Hooks, open_consortium, run_arms
from shared.study_file import load_study
from tests.small import SITES, hospital, small_study

folder = Path("work")
folder.mkdir()
study = small_study(
    folder,
    'privacy={mechanism="none"}',
    'modalities={clinical={kind="tabular",numeric={age={range=[0,100]}}},both={kind="pair",column="both"}}',
    'fusion.kind="total"',
    'outcome={kind="stay",column="days",range=[0,60],predicted_at="admission"}',
    'evaluation={primary="clinical+both"}',
    "training={rounds=30,learning_rate=0.05}",
)
for name in SITES:
    hospital(folder / "data", name, open_to_all=True, patients=120)
    path = folder / "data" / name / "patients.csv"
    lines = path.read_text().splitlines()
    pairs = [(line, n % 5 / 4, n % 3 / 2) for n, line in enumerate(lines[1:])]
    rows = [f"{line},{one};{other},{10 + 10 * one + 20 * other}" for line, one, other in pairs]
    path.write_text("\\n".join([lines[0] + ",both,days", *rows]))
run_arms(study, open_consortium(study, folder / "data", folder / "state"), folder / "run", Hooks())
(record,) = load_records(folder / "run")
found = [own for own in record.figures["south"] if own.model == "clinical+both" and own.role == "external"]
print("r2", found[0].measures["r2"])
"""


def rows_of_the_readme() -> dict[str, str]:
    """What the README's table says by what is to be added."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## To add a")[2]
    return {cells[1].strip(): "|".join(cells[2:]) for line in text.splitlines() if (cells := line.split("|"))[1:]}


def told_files(row: str) -> Iterator[str]:
    """Files that a row names; of a folder named it is the dict of its ``__init__``."""
    for name in re.findall(r"`([\w/.]+)`", row):
        yield name if name.endswith(".py") else f"{name.rstrip('/')}/__init__.py"


def allowed(row: str, own: set[str]) -> set[str]:
    """The files of a row with the toy's own names for "x", and the dicts beside its new files."""
    named = set(told_files(row))
    folders = {str(Path(name).parent) for name in named if name.endswith("/x.py")}
    return {name for name in named if not name.endswith("/x.py")} | own | {f"{f}/__init__.py" for f in folders}


def test_the_table_names_every_file_that_is_touched() -> None:
    told, changed = rows_of_the_readme(), {file for file, *_ in LINES}
    permitted: set[str] = set()
    for what, files in (
        ("a modality", {"shared/modalities/pair.py", "client/readers/pair.py"}),
        ("an encoder", {"shared/encoders/weighed.py"}),
        ("a fusion", {"shared/fusions/total.py"}),
        ("an outcome", {"shared/outcomes/stay.py"}),
    ):
        for name in files:
            assert str(Path(name).parent / "x.py") in set(told_files(told[what])), f"{what}: {name}"
        permitted |= allowed(told[what], files)
    assert {*NEW, *changed} <= permitted


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the three of them added."""
    place = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, place)
    for file, text in NEW.items():
        assert not (place / file).exists()
        (place / file).write_text(text.lstrip(), encoding="utf-8")
    for file, anchor, text in [*LINES, *SAMPLES]:
        content = (place / file).read_text(encoding="utf-8")
        assert content.count(anchor) == 1, (file, anchor)
        (place / file).write_text(content.replace(anchor, text.format(anchor)), encoding="utf-8")
    return place


def called(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_study_of_the_three_runs_over_hospitals_and_learns(copy: Path) -> None:
    told = called(copy, "-c", RUN)
    assert float(told.split("r2")[-1]) > 0.5


def test_the_contracts_hold_of_them_because_they_are_registered(copy: Path) -> None:
    files = [f"tests/contracts/test_{kind}.py" for kind in ("modalities", "encoders", "fusions", "outcomes")]
    told = called(copy, "-m", "pytest", "-p", "no:cacheprovider", *files, "-k", "pair or total or stay")
    assert int(re.search(r"(\d+) passed", told)[1]) >= 20  # type: ignore[index]
