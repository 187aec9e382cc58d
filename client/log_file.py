"""The hospital's own log: one JSON object a line in its state folder, rotated, and never an exception's text."""

import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from client.state import private_folder

SIZE, KEPT = 5_000_000, 4  # bytes of a file, and older files beside it
OURS = (
    "client",
    "shared",
)  # whose sentences are written; of libraries only where something was said, as it may be data


class JsonLines(logging.Formatter):
    """Time, level, place, and the sentence; a traceback could hold a patient's value, so only its kind is named."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = record.getMessage() if record.name.split(".")[0] in OURS else "a library's message, not kept"
        values = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "place": f"{record.name}:{record.lineno}",
            "message": said,
        }
        if record.exc_info and record.exc_info[0]:
            values["failure"] = record.exc_info[0].__name__
        return json.dumps(values)


class PrivateRotation(RotatingFileHandler):
    """Files that only their owner may read; what cannot be written is dropped, as on a full disk."""

    def _open(self):  # type: ignore[no-untyped-def]
        return os.fdopen(
            os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: the agent goes on without its log."""


def log_to(folder: Path, name: str) -> None:
    """Write this process's log to ``folder/log/name.log``."""
    path = private_folder(private_folder(folder) / "log") / f"{name}.log"
    handler = PrivateRotation(path, maxBytes=SIZE, backupCount=KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]  # libraries set up others, which would print what we do not keep
    root.setLevel(logging.INFO)
