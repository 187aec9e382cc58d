"""What is noted while a run goes on: kept in its checkpoint, and told as it happens, line by line, to who watches."""

import json
import os
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from server.record import Failure, Release, RoundTime


class Diary(BaseModel):
    """Who failed, what was released, who answered each round; a checkpoint holds it, so a crash forgets nothing."""

    model_config = ConfigDict(extra="forbid")

    failures: list[Failure] = []
    ledger: list[Release] = []
    splits: dict[str, str] = {}  # what each hospital committed to, of who is in which cohort
    rounds: list[RoundTime] = []
    unpublished: set[str] = set()
    cosines: dict[str, list[float]] = {}  # of each hospital's updates in this stage with the others' (directions.py)
    notes: list[str] = []  # of the server's own: a checkpoint that was damaged, updates against all others

    def told(self) -> str:
        """What each hospital said last, in one line."""
        last = {failure.site: failure.sentence for failure in self.failures}
        return "; ".join(f"{site}: {sentence}" for site, sentence in sorted(last.items()))


class Journal:
    """One JSON object a line for people and for ``server status``; nothing is ever read back into a run."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        if path.is_file() and not (content := path.read_bytes()).endswith(b"\n"):  # a crash, or a full disk
            os.truncate(path, content.rfind(b"\n") + 1)

    def tell(self, event: str, **told: Any) -> None:
        """Append one line: what happened, and what belongs to it."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **told})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def journal_file(folder: Path, label: str) -> Path:
    """Where a run's journal is in a results folder."""
    return folder / "journal" / f"{label}.jsonl"


def read_journal(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a journal, oldest first; a line that is being written is passed over."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
