"""What left this hospital: one line a message, chained, with the head of the ledger that it carried out."""

from __future__ import annotations  # the commands that read the log need not import what a message is made of

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.chain import Chain, Link
from client.state import EGRESS

if TYPE_CHECKING:
    from shared.privacy.records import RunKey, Spend
    from shared.wire import Envelope

RESOLVED = "resolved"  # the kind of a line by which a person signs off that heads of the ledger are missing
UNREADABLE = (
    "egress-unreadable",
    "this hospital's egress log was altered or damaged; its own people see where by `python -m client egress "
    "site.toml --verify`, and put back a whole copy",
)


class EgressLog:
    """Append-only and chained; it knows which heads of the ledger the world has seen."""

    def __init__(self, folder: Path) -> None:
        self._chain = Chain(folder / EGRESS, *UNREADABLE)

    @property
    def links(self) -> list[Link]:
        """All lines, oldest first."""
        return self._chain.links

    def append(self, run: RunKey | None, envelope: Envelope, spend: Spend | None, told: Mapping[str, Any]) -> None:
        """Record a message before it leaves: names, shapes, size, norm and digest; no value of it.

        ``run`` is None where what came was no task. A private release's line repeats that of the ledger, so that one
        of the two can be lost. ``told`` has heads of the ledger: "asked", which the task named, and "head", which goes
        out, with the number of its line as "lines"; the "approval" that allowed it; and the "question"'s digest.
        """
        arrays, header = envelope.arrays, envelope.header
        self._chain.append(
            {
                "time": now(),
                "study": run.study if run else None,
                "fold": run.fold if run else None,
                "arm": run.arm if run else None,
                "kind": header.kind,
                "stage": getattr(header, "stage", None),
                "round": getattr(header, "round", None),
                "code": getattr(header, "code", None),
                "arrays": {name: list(values.shape) for name, values in arrays.items()},
                "bytes": sum(values.nbytes for values in arrays.values()) + len(header.model_dump_json()),
                "norm": round(_norm(envelope), 6),
                "epsilon": getattr(header, "epsilon", None),
                "digest": envelope.digest,
                "spend": spend.model_dump() if spend else None,
                **told,
            }
        )

    def sign_off(self, person: str, reason: str, missing: list[str], restored: int) -> None:
        """Record that a person knows that these heads are not in the ledger, and lets the hospital go on."""
        signed = {"by": person, "reason": reason, "missing": missing, "restored": restored}
        self._chain.append({"time": now(), "kind": RESOLVED, **signed})


def now() -> str:
    """The time of a line."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def digests(links: list[Link]) -> set[str]:
    """Digests of all messages that left."""
    return {link.values["digest"] for link in links if "digest" in link.values}


def missing_heads(links: list[Link], held: set[str], asked: str | None = None) -> set[str]:
    """Heads that went out with a message, or that a server named, but for those ``held`` and those signed off."""
    seen = {asked, *(link.values.get(key) for link in links for key in ("asked", "head"))}
    signed = {head for link in links if link.values.get("kind") == RESOLVED for head in link.values["missing"]}
    return {head for head in seen if head} - held - signed


def _norm(envelope: Envelope) -> float:
    import numpy as np

    return float(np.sqrt(sum(float(np.sum(np.square(a.astype(np.float64)))) for a in envelope.arrays.values())))
