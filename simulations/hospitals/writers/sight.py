"""What a writer of files is told of one row's modality, and what it hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from shared.simulated import Simulation
from simulations.hospitals.chance import stream


@dataclass(frozen=True)
class Sight:
    """One modality of one row: what it must show, of whom, and where its files go.

    ``unit`` names the row and its files, and equals ``patient`` where a patient has one row; ``row_column`` is the
    column of the table that holds it, if the study has one; ``hour`` is the row's moment on
    the clock of its tables; ``severity`` has the standard deviation ``scale``; ``told`` is the outcome in words.
    """

    name: str
    latent: float
    severity: float
    scale: float
    patient: str
    unit: str
    hour: float
    site: str
    folder: Path
    rng: np.random.Generator
    simulation: Simulation
    told: str = ""
    row_column: str = ""

    @property
    def look(self) -> str:
        """The kind of sketch that the study names, or nothing."""
        return self.simulation.look.get(self.name, "")

    @property
    def scanner(self) -> float:
        """How far hospitals' machines are apart."""
        return self.simulation.shift.scanner

    def place(self, path: str) -> Path:
        """A file inside the hospital's folder, whose own folder is made."""
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        return whole

    def matching(self, pattern: str, number: int) -> Path:
        """A file that a pattern with {patient} finds, the one of that number of this row."""
        own = str(number) if self.unit == self.patient else f"{self.unit}-{number}"
        return self.place(pattern.replace("{patient}", self.patient).replace("*", own))

    def whose(self, column: str) -> str:
        """What a long table's column of that name says: the row, where it is named so, else the patient."""
        return self.unit if column == self.row_column else self.patient

    def leaks(self, name: str) -> bool:
        """Whether this modality or column states the outcome of this patient."""
        share = self.simulation.leak.get(name, 0.0)
        return bool(share and stream("leak", self.site, self.unit, name).random() < share)

    def leaked(self, column: str, score: float) -> float:
        """A column's score: its own, or the outcome's where the column leaks it."""
        return 2 * self.severity / self.scale if self.leaks(column) else score


@dataclass(frozen=True)
class Files:
    """Cells of the row in ``patients.csv``, and rows of long tables by their name."""

    cells: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
