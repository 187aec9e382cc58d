"""What left this hospital: one line a message, each with the hash of the line before, so that a change shows."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from client.state import append_synced, private_folder
from shared.privacy.records import RunKey
from shared.wire import Envelope

START = "0" * 64


class EgressLog:
    """Append-only and chained: ``head`` is the hash of the last line."""

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / "egress.jsonl"
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        if text and not text.endswith("\n"):
            append_synced(self._path, "")  # a crash in mid-line: what is there stays, and the chain goes on from it
        self.head = _hash(text.splitlines()[-1]) if text else START

    def append(self, run: RunKey, envelope: Envelope, digest: str) -> None:
        """Record a message before it leaves: names, shapes, size, norm and digest; no value of it."""
        arrays = envelope.arrays
        norm = float(np.sqrt(sum(float(np.sum(np.square(a.astype(np.float64)))) for a in arrays.values())))
        line = json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "study": run.study,
                "fold": run.fold,
                "arm": run.arm,
                "kind": envelope.header.kind,
                "arrays": {name: list(values.shape) for name, values in arrays.items()},
                "bytes": sum(values.nbytes for values in arrays.values()) + len(envelope.header.model_dump_json()),
                "norm": round(norm, 6),
                "epsilon": getattr(envelope.header, "epsilon", None),
                "digest": digest,
                "before": self.head,
            }
        )
        append_synced(self._path, line)
        self.head = _hash(line)


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
