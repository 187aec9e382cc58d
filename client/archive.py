"""A hospital's data for one program: reads each study's cohort and files once, and keeps the prepared tensors."""

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from client.cache import Row, Shelf
from client.cohort import Cohort, dividing, read_cohort
from client.front_end import FrontEnd, Prepared
from client.nomograms import nomogram_scores
from client.prognosis import FollowUp
from client.readers import READERS
from client.readers.reading import Case, Source
from client.readers.reading import Reading as Unprepared
from client.site import Site
from client.splits import commitment, roles
from client.weights import verified_weights
from shared.batch import Batch
from shared.cohorts import Fold
from shared.metrics.delong import Floats
from shared.modalities import Modality
from shared.study import Study

Progress = Callable[[int, int], None]
FIRST = 8  # units of the batch that is timed


@dataclass(frozen=True)
class Survey:
    """What one modality of all units is like, without its values."""

    present: torch.Tensor  # (units,)
    faults: dict[str, tuple[int, ...]]  # lines of patients.csv, or of the table that the rule names
    shape: tuple[int, ...]  # of a unit after the encoder's front end
    bytes_each: int
    seconds: float  # for the first patients, libraries and tables included
    timed: int  # how many these were; 0 where all came from the cache


@dataclass(frozen=True)
class Reading:
    """One modality of all units: prepared (units, *shape), and what it is like."""

    prepared: torch.Tensor
    survey: Survey

    @property
    def present(self) -> torch.Tensor:
        """Which units have the modality: (units,) bool."""
        return self.survey.present

    @property
    def faults(self) -> dict[str, tuple[int, ...]]:
        """Lines by the rule that they break."""
        return self.survey.faults


class Data(Protocol):
    """What an agent needs of a hospital's data; ``members`` are the study's sites whose patients they are."""

    members: tuple[str, ...]

    def batch(self, study: Study) -> Batch:
        """All eligible units."""

    def roles(self, study: Study, fold: Fold) -> list[str]:
        """Each unit's role in a fold, in the same order."""

    def split(self, study: Study) -> str | None:
        """A digest of who is kept aside; None where nobody is, or where it is not fixed yet."""

    def excluded(self, study: Study) -> dict[str, int]:
        """Rows left out, by rule."""

    def nomograms(self, study: Study) -> dict[str, Floats]:
        """Log odds (units, 1) of each of the study's nomograms, in the same order."""

    def follow_up(self, study: Study) -> FollowUp | None:
        """Each unit's second endpoint, in the same order; None where the study has none."""


class Archive:
    """The files of one hospital; with a ``cache``, a folder of its own, prepared tensors are kept there."""

    def __init__(self, site: Site, cache: Path | None = None) -> None:
        self.site = site
        self.members: tuple[str, ...] = (site.name,)
        self._cache = cache
        self._cohorts: dict[str, Cohort] = {}
        self._readings: dict[str, Reading] = {}

    def cohort(self, study: Study) -> Cohort:
        """Eligible patients; read once for each rule of who is."""
        key = rows_of(study)
        if key not in self._cohorts:
            self._cohorts[key] = read_cohort(self.site, study)
        return self._cohorts[key]

    def reading(self, study: Study, name: str, progress: Progress | None = None) -> Reading:
        """One modality of every eligible unit, through the fixed front end of its encoder; read once."""
        spec = study.modalities[name]
        content = spec.model_dump_json() + rows_of(study)
        key = hashlib.sha256(content.encode()).hexdigest()
        if key not in self._readings:
            self._readings[key] = self._read(study, name, progress)
        return self._readings[key]

    def survey(self, study: Study, name: str, progress: Progress | None = None) -> Survey:
        """What a modality is like; without a cache its values are read and let go, one patient after the other."""
        if self._cache:
            return self.reading(study, name, progress).survey
        clock = _Clock(self._front_end(study, name), self._cases(study), progress)
        found = [Row("", one.values is not None, 0, one.faults) for one in clock.prepared(range(clock.n))]
        return clock.survey(found)

    def raw(self, study: Study, spec: Modality) -> list[Unprepared]:
        """A modality of every eligible unit as its reader gives it, before any front end; nothing is kept."""
        reader = READERS[spec.kind](spec, self._source(study))
        return [reader.read(case) for _, case in self._cases(study)]

    def _read(self, study: Study, name: str, progress: Progress | None) -> Reading:
        front_end, cases = self._front_end(study, name), self._cases(study)
        clock = _Clock(front_end, cases, progress)
        if self._cache and front_end.reader.files:
            shelf = Shelf(self._cache, f"{front_end.spec.kind}-{front_end.digest}")
            fingerprints = [front_end.fingerprint(case) for _, case in cases]
            values, rows = shelf.gathered(fingerprints, front_end.nothing, clock.prepared)
        else:
            values, rows = np.empty((len(cases), *front_end.nothing.shape), front_end.nothing.dtype), []
            for place, found in enumerate(clock.prepared(range(len(cases)))):
                values[place] = front_end.nothing if found.values is None else found.values
                rows.append(Row("", found.values is not None, 0, found.faults))
        return Reading(torch.from_numpy(values), clock.survey(rows))

    def _cases(self, study: Study) -> list[tuple[int, Case]]:
        """Every eligible unit with its line in the table."""
        time = study.unit.time
        return [
            (unit.line, Case(unit.patient, unit.row, float(unit.row[time]) if time else math.inf, unit.key))
            for unit in self.cohort(study).units
        ]

    def _front_end(self, study: Study, name: str) -> FrontEnd:
        spec = study.modalities[name]
        digest = getattr(spec, "weights", None)
        return FrontEnd(spec, self._source(study), verified_weights(self.site, digest) if digest else None)

    def _source(self, study: Study) -> Source:
        return Source(
            self.site.data, self.site.encoding, study.unit.patient, bool(study.unit.time), self.site.harmonization
        )

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

    def split(self, study: Study) -> str | None:
        """A digest of who is kept aside, under a secret of this hospital; None where nobody is."""
        return commitment(study, self.site.state)

    def excluded(self, study: Study) -> dict[str, int]:
        """Rows left out, by rule."""
        return dict(self.cohort(study).excluded)

    def nomograms(self, study: Study) -> dict[str, Floats]:
        """Log odds (units, 1) of each of the study's nomograms."""
        return nomogram_scores(self.cohort(study), study)

    def follow_up(self, study: Study) -> FollowUp | None:
        """Each unit's second endpoint, in the same order; NaN where a row has none that can be read."""
        if study.survival is None:
            return None
        read = [study.survival.read(unit.row) for unit in self.cohort(study).units]
        found = np.array([(np.nan, np.nan) if isinstance(row, str) else row for row in read], dtype=np.float64)
        return FollowUp(study.survival, found[:, 0], found[:, 1])


def rows_of(study: Study) -> str:
    """All that decides which rows of the table are eligible."""
    rules = [study.unit.model_dump_json(), study.outcome.model_dump_json()]
    rules += dividing(study)
    if study.survival:
        rules.append(study.survival.model_dump_json())
    if study.unit.max_missing is not None:
        rules += [spec.model_dump_json() for spec in study.modalities.values() if spec.kind == "tabular"]
    return "".join(rules)


class _Clock:
    """Reads patients with progress, and takes the time of the first of them."""

    def __init__(self, front_end: FrontEnd, cases: Sequence[tuple[int, Case]], progress: Progress | None) -> None:
        self._front_end, self._cases, self._progress, self.n = front_end, cases, progress, len(cases)
        self._seconds, self._timed = 0.0, 0

    def prepared(self, places: Sequence[int]) -> Iterator[Prepared]:
        """The patients at these places, in order."""
        begun, all_before = time.monotonic(), self.n - len(places)
        cases = [self._cases[place][1] for place in places]
        for done, found in enumerate(self._front_end.all_prepared(cases), start=1):
            if done <= FIRST:
                self._seconds, self._timed = time.monotonic() - begun, done
            if self._progress:
                self._progress(all_before + done, self.n)
            yield found

    def survey(self, rows: Sequence[Row]) -> Survey:
        """What was found, with the lines of each fault."""
        faults: dict[str, list[int]] = defaultdict(list)
        for (line, _), row in zip(self._cases, rows, strict=True):
            for rule in row.faults:
                faults[rule].append(line)
        lines = {rule: tuple(at) for rule, at in faults.items()} | dict(self._front_end.reader.lines)
        nothing = self._front_end.nothing
        present = torch.tensor([row.present for row in rows])
        return Survey(present, lines, nothing.shape, nothing.nbytes, self._seconds, self._timed)
