"""Reads one patient's modality from the hospital's files, one file per kind; faults are told by rule, not by value."""

from collections.abc import Callable
from typing import Any

from client.readers.bag import read_bag
from client.readers.reading import Reading
from client.readers.table import read_table
from client.readers.volume import read_volume

# (the study's modality, the patient's row, the patient's key, the hospital's folder) -> Reading
READERS: dict[str, Callable[[Any, Any, str, Any], Reading]] = {
    "tabular": read_table,
    "volume": read_volume,
    "bag": read_bag,
}
