"""Which studies this hospital approved: one chained line a decision, with who, in which role, and until when.

Nothing is asked of the data for a study without a line here that holds today. The line has the study's whole text, so
that what was approved can be read later; its digest covers overrides.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from client.chain import Chain, Link, read_chain
from client.egress_log import now
from client.state import APPROVALS
from shared.errors import PrivacyRefusal

APPROVED, REVOKED = "approved", "revoked"
UNREADABLE = (
    "approvals-unreadable",
    "this hospital's file of approvals was altered or damaged; its own people put back a whole copy",
)


class ApprovalFile:
    """The file, for the person who decides; the caller holds the lock of the state folder."""

    def __init__(self, state: Path) -> None:
        self._chain = Chain(state / APPROVALS, *UNREADABLE)

    def approve(self, study: tuple[str, str, str], signed: dict[str, str], until: date) -> None:
        """Note a person's yes to a study, given as (digest, name, canonical text)."""
        digest, name, text = study
        values = {"kind": APPROVED, "study": digest, "name": name, **signed, "until": until.isoformat(), "text": text}
        self._chain.append({"time": now(), **values})

    def revoke(self, study: tuple[str, str], signed: dict[str, str]) -> None:
        """End the approval of a study, given as (digest, name); what was released before stays released."""
        self._chain.append({"time": now(), "kind": REVOKED, "study": study[0], "name": study[1], **signed})


def decisions(state: Path) -> dict[str, Link]:
    """The last decision on each study, by digest; PrivacyRefusal if the file does not hold together."""
    reading = read_chain(state / APPROVALS)
    if reading.breaks:
        raise PrivacyRefusal(*UNREADABLE)
    return {link.values["study"]: link for link in reading.links}


def holds(values: dict[str, Any], today: date) -> bool:
    """Whether a decision is an approval that has not ended; its last day counts."""
    return values["kind"] == APPROVED and today <= date.fromisoformat(values["until"])


def today() -> date:
    """The date by which approvals end, in UTC."""
    return datetime.now(UTC).date()


def approved_texts(state: Path) -> list[str]:
    """Canonical texts of all studies that are approved today."""
    return [link.values["text"] for link in decisions(state).values() if holds(link.values, today())]


def require_approval(state: Path, digest: str) -> str:
    """The hash of the line that approves a study; PrivacyRefusal, in words that may leave, if there is none."""
    link = decisions(state).get(digest)
    if link is None:
        raise PrivacyRefusal("not-approved", f"this hospital has not approved the study with digest {digest[:12]}")
    if link.values["kind"] == REVOKED:
        raise PrivacyRefusal("not-approved", f"this hospital revoked its approval of the study {digest[:12]}")
    if not holds(link.values, today()):
        raise PrivacyRefusal("not-approved", f"this hospital's approval of the study {digest[:12]} has ended")
    return link.hash


def implied(state: Path, digest: str) -> str:
    """For simulations: whoever runs one has its hospitals too, and approves its study by running it."""
    return ""
