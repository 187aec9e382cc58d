"""Reads one file's bytes as a sequence of numbers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from client.readers.reading import Reader, Source, named_files, one_file
from shared.modalities.payload import Payload

UNREADABLE = "file cannot be opened"
NOTHING = "file is empty"


def open_payload(spec: Payload, source: Source) -> Reader:
    """Reads (bytes,) int16: each of the first bytes plus one, zeros after the end."""

    def load(path: Path) -> Tensor | str:
        with path.open("rb") as file:
            content = np.frombuffer(file.read(spec.length), dtype=np.uint8)
        if not content.size:
            return NOTHING
        tensor = torch.zeros(spec.length, dtype=torch.int16)
        tensor[: content.size] = torch.from_numpy(content.astype(np.int16) + 1)
        return tensor

    return Reader(one_file(spec.path, source.folder, load), UNREADABLE, named_files([spec.path], source.folder))
