"""From a patient's files to what an encoder learns from: the reader and the encoder's fixed front end, in one process
or in several."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from client.readers import READERS
from client.readers.reading import Case, Reader, Source
from shared.encoders import ENCODERS
from shared.encoders.base import Encoder
from shared.modalities import Modality

WORTH = 30.0  # seconds left from which on other processes are started, which takes ten
TRIAL = 2.0  # seconds of reading by which the time left is estimated
A_PROCESS = 2 * 2**30  # bytes of memory that a process is given
ROOT = Path(__file__).parents[1]
LIBRARIES = ("monai", "nibabel", "numpy", "pillow", "pydicom", "scipy", "torch", "wfdb")


@dataclass(frozen=True)
class Prepared:
    """One patient's modality: ``values`` as the encoder takes them, None if the patient lacks it; rules broken."""

    values: npt.NDArray[Any] | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrontEnd:
    """One modality of a study at one hospital; can be sent to another process, and opens there anew."""

    spec: Modality
    source: Source
    weights: Path | None = None  # the hospital's verified copy of the pre-trained file that the encoder needs

    @cached_property
    def reader(self) -> Reader:
        """The modality, opened."""
        return READERS[self.spec.kind](self.spec, self.source)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, for its fixed front end alone."""
        encoder = ENCODERS[self.spec.kind][self.spec.encoder].build(self.spec, torch.Generator().manual_seed(0))
        if self.weights:
            encoder.attach(self.weights)
        return encoder

    @cached_property
    def nothing(self) -> npt.NDArray[Any]:
        """What stands in the place of a patient without the modality."""
        blank = torch.zeros(self.spec.shape, dtype=getattr(torch, self.spec.dtype))
        with torch.no_grad():
            return as_array(self.encoder.prepare(blank))

    def prepared(self, case: Case) -> Prepared:
        """Read and prepare one patient."""
        read = self.reader.read(case)
        if read.tensor is None:
            return Prepared(None, read.faults)
        with torch.no_grad():
            return Prepared(as_array(self.encoder.prepare(read.tensor)), read.faults)

    def fingerprint(self, case: Case) -> str:
        """Changes whenever a cell or a file that the patient's reading depends on does."""
        files = []
        for path in self._files(case):
            try:
                state = path.stat()
                files.append(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ino}")
            except (OSError, ValueError):
                files.append(f"{path}\0absent")
        cells = [case.patient, case.key, repr(case.time), *(case.row.get(name, "") for name in self.spec.cells)]
        return hashlib.blake2b("\1".join([*cells, *files]).encode(errors="replace"), digest_size=16).hexdigest()

    def _files(self, case: Case) -> list[Path]:
        """The files that a patient's reading depends on; none where a path cannot be."""
        try:
            return self.reader.files(case) if self.reader.files else []
        except (OSError, ValueError):
            return []

    @property
    def digest(self) -> str:
        """Of all that a prepared tensor depends on beside the patient: the study's section, and what reads it."""
        content = f"{self.spec.model_dump_json()}{replace(self.source, folder=Path())!r}{code()}"
        return hashlib.sha256(content.encode()).hexdigest()[:24]

    def all_prepared(self, cases: Sequence[Case]) -> Iterator[Prepared]:
        """Every case in order; with several processes where the rest would take long, memory allowing."""
        begun = time.monotonic()
        for place, case in enumerate(cases):
            yield self.prepared(case)
            if place == 0:
                begun = time.monotonic()  # the first one waits for libraries
                continue
            taken, remaining = time.monotonic() - begun, len(cases) - place - 1
            if taken > TRIAL and taken / place * remaining > WORTH and processes() > 1 and not self.reader.own_index:
                yield from self._side_by_side(cases[place + 1 :])
                return

    def _unopened(self) -> "FrontEnd":
        return FrontEnd(self.spec, self.source, self.weights)

    def _side_by_side(self, cases: Sequence[Case]) -> Iterator[Prepared]:
        """Every case in order, by other processes; by this one where they cannot be had."""
        workers, done = processes(), 0
        try:
            with ProcessPoolExecutor(workers, get_context("spawn"), _open, (self._unopened(),)) as pool:
                waiting = iter(cases)
                running: list[Future[Prepared]] = [pool.submit(_read, case) for case in islice(waiting, 4 * workers)]
                while running:
                    found = running.pop(0).result()
                    running += [pool.submit(_read, case) for case in islice(waiting, 1)]
                    done += 1
                    yield found
        except (BrokenProcessPool, OSError):
            yield from map(self.prepared, cases[done:])


def processes() -> int:
    """Processes that the cores and the free memory allow."""
    import psutil

    return max(1, min(len(os.sched_getaffinity(0)), int(psutil.virtual_memory().available // A_PROCESS)))


@cache
def code() -> str:
    """Digest of the program text and the libraries that turn a file into a tensor."""
    files = [ROOT / "client/harmonization.py"]
    for folder in ("client/readers", "shared/encoders", "shared/modalities"):
        files += sorted((ROOT / folder).glob("*.py"))
    texts = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(texts + " ".join(map(version, LIBRARIES)).encode()).hexdigest()


def as_array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """The tensor's own memory."""
    values: npt.NDArray[Any] = tensor.numpy()
    return values


_opened: list[FrontEnd] = []  # of this process, where it reads for another


def _open(front_end: FrontEnd) -> None:
    torch.set_num_threads(1)
    _opened.append(front_end)


def _read(case: Case) -> Prepared:
    return _opened[0].prepared(case)
