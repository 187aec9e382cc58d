"""The hospital's privacy ledger on its disk: one line a release, appended and synced before the release leaves."""

import math
from pathlib import Path

from pydantic import ValidationError

from client.chain import Chain, Link, hashes
from client.state import LEDGER
from shared.errors import PrivacyRefusal
from shared.privacy.records import RunKey, Spend, spent

TOLERANCE = 1e-9  # of epsilon, for rounding in sums
UNREADABLE = (
    "ledger-unreadable",
    "this hospital's privacy ledger was altered or damaged; its own people see where by `python -m client egress "
    "site.toml --verify`, put back a whole copy or set the file aside, and sign off by `python -m client ledger "
    "site.toml --resolve`",
)


class LedgerFile:
    """Every spend of this hospital, over rounds, stages, arms, studies and restarts; never rewritten, and chained."""

    def __init__(self, folder: Path) -> None:
        self._chain = Chain(folder / LEDGER, *UNREADABLE)
        self._spends = [spend_of(link) for link in self._chain.links]

    @property
    def spends(self) -> tuple[Spend, ...]:
        """All lines, oldest first."""
        return tuple(self._spends)

    @property
    def heads(self) -> set[str]:
        """The hash of every line, and that of the empty ledger: what this hospital can have given out."""
        return hashes(self._chain.links)

    def head_after(self, digest: str) -> tuple[int, str]:
        """(Number, hash) of the line of the release with this digest; of the last line if there is none."""
        for link in reversed(self._chain.links):
            if link.values["digest"] == digest:
                return link.number, link.hash
        return len(self._spends), self._chain.head

    def of_run(self, run: RunKey) -> list[Spend]:
        """The releases of one run."""
        return [spend for spend in self._spends if spend.run == run]

    def find(self, run: RunKey, stage: str, number: int) -> Spend | None:
        """The line of one round of a stage, if there is one."""
        return next((s for s in self.of_run(run) if (s.stage, s.round) == (stage, number)), None)

    def with_digest(self, digest: str) -> Spend | None:
        """The line of the release with this digest, if there is one."""
        return next((spend for spend in self._spends if spend.digest == digest), None)

    def append(self, spend: Spend) -> None:
        """Write a line; it is on the disk when this returns."""
        self._chain.append(spend.model_dump())
        self._spends.append(spend)

    def refuse_beyond(self, spend: Spend, limit: float) -> None:
        """Raise PrivacyRefusal if ``spend`` would pass its run's budget or the hospital's ``limit`` over all.

        Those who train and those who validate in a run are others, each with a budget. The limit is of a patient who
        was in all, at the smallest delta of all: a study with a large delta cannot make the others look cheap.
        """
        budget = spend.budget
        run = spent([*(s for s in self.of_run(spend.run) if s.validates == spend.validates), spend], spend.delta)
        if not run <= budget + TOLERANCE:
            raise PrivacyRefusal(
                "budget-exhausted", f"this release would bring the run to epsilon {run:.4g}, its budget is {budget:.4g}"
            )
        total = spent([*self._spends, spend], min(own.delta for own in (*self._spends, spend)))
        if not (math.isfinite(total) and total <= limit + TOLERANCE):
            raise PrivacyRefusal(
                "hospital-limit",  # without its numbers: what other studies spent is not this server's to know
                "with this release a patient would pass the epsilon that this hospital allows over all studies",
            )


def spend_of(link: Link) -> Spend:
    """A line of the ledger; PrivacyRefusal if it is none."""
    try:
        return Spend.model_validate(link.values)
    except ValidationError:
        raise PrivacyRefusal(*UNREADABLE) from None
