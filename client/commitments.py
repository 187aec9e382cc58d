"""What the server froze: a hospital answers one set of models and thresholds a run, and trains no further after it."""

import json
from pathlib import Path

from client.state import private_folder, write_synced
from shared.errors import PrivacyRefusal
from shared.privacy.records import RunKey


class Commitments:
    """One digest a run, kept on the hospital's disk."""

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / "commitments.json"
        self._known: dict[str, str] = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}

    def hold(self, run: RunKey, digest: str) -> None:
        """Note the first set of a run; refuse any other, as figures of two near sets would show single patients."""
        key = run.model_dump_json()
        if self._known.setdefault(key, digest) != digest:
            raise PrivacyRefusal("sealed", "this hospital has answered for other models or thresholds of this run")
        write_synced(self._path, json.dumps(self._known, indent=1).encode())

    def refuse_training(self, run: RunKey) -> None:
        """Refuse to train on in a run whose models are frozen."""
        if run.model_dump_json() in self._known:
            raise PrivacyRefusal("frozen", "the models of this run are frozen; it is not trained further")
