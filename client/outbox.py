"""Releases wait here, synced, until they are in the ledger; after a crash the same bytes are sent again."""

import hashlib
from collections.abc import Set
from pathlib import Path

from client.state import OUTBOX, kept_copy, private_folder, write_synced
from shared.errors import PrivacyRefusal
from shared.privacy.records import Spend
from shared.wire import Envelope


class Outbox:
    """One file a release, named by its digest. The order of a release: outbox, ledger, egress log, send."""

    def __init__(self, folder: Path, known: Set[str]) -> None:
        self._folder = folder
        for path in private_folder(folder / OUTBOX).iterdir():
            if path.stem not in known:
                path.unlink()  # a crash came before the ledger's line: nothing was spent, nothing may leave

    def put(self, envelope: Envelope) -> str:
        """Keep a release, without the ledger's head; returns its digest. It is on the disk when this returns."""
        digest = envelope.digest
        write_synced(kept_copy(self._folder, digest), envelope.with_head(None).to_bytes())
        return digest

    def take(self, spend: Spend) -> Envelope:
        """The release of a ledger line, byte for byte."""
        path = kept_copy(self._folder, spend.digest)
        if not path.exists():
            raise PrivacyRefusal(
                "release-lost", "this round was released before and its copy is gone; it is not repeated"
            )
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != spend.digest:
            raise PrivacyRefusal("release-damaged", "the kept copy of this round's release is damaged; it is not sent")
        return Envelope.from_bytes(content)
