"""Keeps a run's weights on the server's disk after each round, so that a stopped run has lost nothing before it."""

import json
import os
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from shared.wire import Arrays


def save_weights(path: Path, weights: Arrays, note: dict[str, str]) -> None:
    """Write weights whole or not at all, with a note of what they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    ordered = {name: np.ascontiguousarray(weights[name]) for name in sorted(weights)}
    told = {"note": json.dumps(note, sort_keys=True)}  # one key, as the format keeps no order of several
    temporary.write_bytes(save(ordered, metadata=told))
    os.replace(temporary, path)
