"""Named arrays as bytes of the safetensors format, one array at a time, so that a model is not in memory twice.

The library's own writer holds all arrays and their bytes at once; what is written here is byte for byte what it writes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[Any]
# Names of types, by numpy's; arrays lie in this order, by which each is aligned.
TYPES = {
    "u8": "U64",
    "i8": "I64",
    "f8": "F64",
    "f4": "F32",
    "u4": "U32",
    "i4": "I32",
    "f2": "F16",
    "u2": "U16",
    "i2": "I16",
    "i1": "I8",
    "u1": "U8",
    "b1": "BOOL",
}
ALIGNED = 8  # bytes of which the header's length is a multiple


def blocks(arrays: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> Iterator[bytes | memoryview]:
    """The file's parts in order; the same arrays and metadata give the same bytes.

    Each array is read twice. KeyError for one that is not of numbers.
    """
    shapes = {name: (arrays[name].dtype, arrays[name].shape) for name in arrays}
    ranks = {kind: rank for rank, kind in enumerate(TYPES)}
    names = sorted(shapes, key=lambda name: (ranks[shapes[name][0].str[1:]], name))
    told: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    place = 0
    for name in names:
        kind, shape = shapes[name]
        end = place + int(np.prod(shape)) * kind.itemsize
        told[name] = {"dtype": TYPES[kind.str[1:]], "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNED)
    yield len(text).to_bytes(8, "little") + text
    for name in names:
        yield flat_bytes(arrays[name])


def flat_bytes(values: Tensor) -> memoryview:
    """An array's bytes in C order, little-endian, without a copy where they lie so."""
    little = np.asarray(values, dtype=values.dtype.newbyteorder("<"), order="C")
    return little.reshape(-1).view(np.uint8).data


def saved(arrays: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """All parts in one."""
    return b"".join(blocks(arrays, metadata))


def weights_digest(arrays: Mapping[str, Tensor]) -> str:
    """SHA-256 of named arrays alone: what a server commits to when it freezes its models."""
    digest = hashlib.sha256()
    for block in blocks(arrays):
        digest.update(block)
    return digest.hexdigest()
