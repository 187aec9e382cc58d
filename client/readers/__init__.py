"""Reads one patient's modality from the hospital's files, one file per kind; faults are told by rule, not by value."""

from collections.abc import Callable
from typing import Any

from client.readers.bag import open_bag
from client.readers.concepts import open_concepts
from client.readers.grid import open_grid
from client.readers.image import open_image
from client.readers.payload import open_payload
from client.readers.reading import Reader, Source
from client.readers.series import open_series
from client.readers.signal import open_signal
from client.readers.table import open_table
from client.readers.text import open_text
from client.readers.volume import open_volume

# Opens the study's modality at a hospital; tables are indexed once, at the first patient.
READERS: dict[str, Callable[[Any, Source], Reader]] = {
    "tabular": open_table,
    "series": open_series,
    "signal": open_signal,
    "image": open_image,
    "volume": open_volume,
    "bag": open_bag,
    "text": open_text,
    "concepts": open_concepts,
    "bytes": open_payload,
    "grid": open_grid,
}
