"""A hospital's data for one program: reads each study's cohort and files once, and keeps the prepared tensors."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from client.cohort import Cohort, read_cohort
from client.readers import READERS
from client.site import Site
from client.splits import roles
from shared.batch import Batch
from shared.cohorts import Fold
from shared.encoders import ENCODERS
from shared.modalities import Modality
from shared.study import Study

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Reading:
    """One modality of all units: prepared (units, *shape), present (units,), lines by fault."""

    prepared: torch.Tensor
    present: torch.Tensor
    faults: dict[str, tuple[int, ...]]


class Data(Protocol):
    """What an agent needs of a hospital's data; ``members`` are the study's sites whose patients they are."""

    members: tuple[str, ...]

    def batch(self, study: Study) -> Batch:
        """All eligible units."""

    def roles(self, study: Study, fold: Fold) -> list[str]:
        """Each unit's role in a fold, in the same order."""

    def excluded(self, study: Study) -> dict[str, int]:
        """Rows left out, by rule."""


class Archive:
    """The files of one hospital."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.members: tuple[str, ...] = (site.name,)
        self._cohorts: dict[str, Cohort] = {}
        self._readings: dict[str, Reading] = {}

    def cohort(self, study: Study) -> Cohort:
        """Eligible patients; read once for each outcome and unit."""
        key = study.unit.model_dump_json() + study.outcome.model_dump_json()
        if key not in self._cohorts:
            self._cohorts[key] = read_cohort(self.site, study)
        return self._cohorts[key]

    def reading(self, study: Study, name: str, progress: Progress | None = None) -> Reading:
        """One modality of every eligible unit, through the fixed front end of its encoder; read once."""
        spec = study.modalities[name]
        content = spec.model_dump_json() + study.outcome.model_dump_json() + study.unit.model_dump_json()
        key = hashlib.sha256(content.encode()).hexdigest()
        if key not in self._readings:
            self._readings[key] = self._read(self.cohort(study), spec, progress)
        return self._readings[key]

    def _read(self, cohort: Cohort, spec: Modality, progress: Progress | None) -> Reading:
        encoder = ENCODERS[spec.kind][spec.encoder].build(spec, torch.Generator().manual_seed(0))
        faults: dict[str, list[int]] = defaultdict(list)
        prepared, present = [], []
        with torch.no_grad():
            nothing = encoder.prepare(torch.zeros(spec.shape))
            for done, unit in enumerate(cohort.units, start=1):
                read = READERS[spec.kind](spec, unit.row, unit.patient, self.site.data)
                for fault in read.faults:
                    faults[fault].append(unit.line)
                present.append(read.tensor is not None)
                prepared.append(nothing if read.tensor is None else encoder.prepare(read.tensor))
                if progress:
                    progress(done, len(cohort.units))
        return Reading(torch.stack(prepared), torch.tensor(present), {rule: tuple(at) for rule, at in faults.items()})

    def batch(self, study: Study) -> Batch:
        """All eligible units, in the order of the table."""
        readings = {name: self.reading(study, name) for name in study.modalities}
        return Batch(
            {name: reading.prepared for name, reading in readings.items()},
            {name: reading.present for name, reading in readings.items()},
            torch.from_numpy(self.cohort(study).outcome),
            torch.from_numpy(self.cohort(study).owner),
        )

    def roles(self, study: Study, fold: Fold) -> list[str]:
        """Each unit's role in a fold; the split into training and internal patients is fixed once and stored."""
        return roles(self.cohort(study), study, fold, self.site.name, self.site.state)

    def excluded(self, study: Study) -> dict[str, int]:
        """Rows left out, by rule."""
        return dict(self.cohort(study).excluded)
