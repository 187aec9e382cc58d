"""Writers of invented patients' files by modality kind: what the reader of that kind reads."""

from collections.abc import Callable
from typing import Any

from simulations.hospitals.writers.bag import write_bag
from simulations.hospitals.writers.concepts import write_concepts
from simulations.hospitals.writers.grid import write_grid
from simulations.hospitals.writers.image import write_image
from simulations.hospitals.writers.payload import write_payload
from simulations.hospitals.writers.series import write_series
from simulations.hospitals.writers.sight import Files, Sight
from simulations.hospitals.writers.signal import write_signal
from simulations.hospitals.writers.tabular import write_tabular
from simulations.hospitals.writers.text import write_text
from simulations.hospitals.writers.volume import write_volume

Writer = Callable[[Any, Sight], Files]

WRITERS: dict[str, Writer] = {
    "tabular": write_tabular,
    "series": write_series,
    "signal": write_signal,
    "image": write_image,
    "volume": write_volume,
    "bag": write_bag,
    "text": write_text,
    "concepts": write_concepts,
    "bytes": write_payload,
    "grid": write_grid,
}
