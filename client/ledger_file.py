"""The hospital's privacy ledger on its disk: one line a release, appended and synced before the release leaves."""

import json
import math
from pathlib import Path

from pydantic import ValidationError

from client.state import append_synced, private_folder
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
        text = self._path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if text and not text.endswith("\n"):
            # A crash in mid-line: the line was never synced whole, so its release never left.
            lines = lines[:-1]
            self._path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        try:
            return [Spend.model_validate_json(line) for line in lines]
        except (ValidationError, json.JSONDecodeError):
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
        """Write a line; it is on the disk when this returns."""
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
                "hospital-limit",
                f"this release would bring a patient to epsilon {total:.4g} over all studies; "
                f"this hospital allows {limit:.4g}",
            )
