"""One reading of one patient, as an archive makes it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from client.readers import READERS
from client.readers.reading import Case, Reading, Source


def read(
    spec: Any, row: Mapping[str, str], folder: Path, patient: str = "P1", *, time: float = math.inf, timed: bool = False
) -> Reading:
    return READERS[spec.kind](spec, Source(folder, timed=timed)).read(Case(patient, row, time))


def tensor_of(reading: Reading, *faults: str) -> Tensor:
    """The tensor, with exactly these faults."""
    assert reading.faults == faults
    assert reading.tensor is not None
    return reading.tensor
