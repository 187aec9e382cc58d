"""The hospital's privacy ledger on its disk: one line a release, appended and synced before the release leaves."""

import math
from pathlib import Path

from pydantic import ValidationError

from client.state import append_synced, private_folder, write_synced
from shared.errors import PrivacyRefusal
from shared.privacy.records import RunKey, Spend, spent

TOLERANCE = 1e-9  # of epsilon, for rounding in sums


class LedgerFile:
    """Every spend of this hospital, over rounds, stages, arms, studies and restarts; never rewritten."""

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / "ledger.jsonl"
        self._spends = self._read()

    def _read(self) -> list[Spend]:
        if not self._path.exists():
            return []
        *lines, rest = self._path.read_bytes().split(b"\n")
        if rest:
            # A crash in mid-line: the line was never synced whole, so its release never left.
            write_synced(self._path, b"".join(line + b"\n" for line in lines))
        try:
            return [Spend.model_validate_json(line) for line in lines]
        except ValidationError:
            raise PrivacyRefusal(
                "ledger-unreadable", "the privacy ledger is damaged; a person must look at it"
            ) from None

    @property
    def spends(self) -> tuple[Spend, ...]:
        """All lines, oldest first."""
        return tuple(self._spends)

    def of_run(self, run: RunKey) -> list[Spend]:
        """The releases of one run."""
        return [spend for spend in self._spends if spend.run == run]

    def find(self, run: RunKey, stage: str, number: int) -> Spend | None:
        """The line of one round of a stage, if there is one."""
        return next((s for s in self.of_run(run) if (s.stage, s.round) == (stage, number)), None)

    def append(self, spend: Spend) -> None:
        """Write a line; it is on the disk when this returns.

        After a failed write nobody knows what the disk holds: the next answer reads it anew.
        """
        append_synced(self._path, spend.model_dump_json())
        self._spends.append(spend)

    def refuse_beyond(self, spend: Spend, budget: float, limit: float) -> None:
        """Raise PrivacyRefusal if ``spend`` would pass the run's ``budget`` or the hospital's ``limit`` over all."""
        run = spent([*self.of_run(spend.run), spend], spend.delta)
        if not run <= budget + TOLERANCE:
            raise PrivacyRefusal(
                "budget-exhausted", f"this release would bring the run to epsilon {run:.4g}, its budget is {budget:.4g}"
            )
        total = spent([*self._spends, spend], spend.delta)
        if not (math.isfinite(total) and total <= limit + TOLERANCE):
            raise PrivacyRefusal(
                "hospital-limit",  # without its numbers: what other studies spent is not this server's to know
                "with this release a patient would pass the epsilon that this hospital allows over all studies",
            )
