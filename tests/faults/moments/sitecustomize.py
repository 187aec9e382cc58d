"""Ends a hospital's real agent (SIGKILL) at a moment of a release: Python imports this at its start, by PYTHONPATH.

The moment stands in the file ``moment`` beside the hospital's ``site.toml``, and strikes once.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def ending(function: Callable[..., Any], file: Path, before: str, after: str) -> Callable[..., Any]:
    """The same function, which may not return."""

    def called(*words: Any) -> Any:
        end_at(file, before)
        result = function(*words)
        end_at(file, after)
        return result

    return called


def end_at(file: Path, moment: str) -> None:
    """As a power cut would: no handler runs."""
    if moment and file.exists() and file.read_text() == moment:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def arm(file: Path) -> None:
    """The moments of a release, in their order."""
    from client.egress_log import EgressLog
    from client.ledger_file import LedgerFile
    from client.outbox import Outbox

    Outbox.put = ending(Outbox.put, file, "before the outbox", "between outbox and ledger")  # type: ignore[method-assign]
    LedgerFile.append = ending(LedgerFile.append, file, "", "between ledger and log")  # type: ignore[method-assign]
    EgressLog.append = ending(EgressLog.append, file, "", "between log and sending")  # type: ignore[method-assign]


if sys.orig_argv[1:4] == ["-m", "client", "agent"]:
    arm(Path(sys.orig_argv[4]).parent / "moment")
