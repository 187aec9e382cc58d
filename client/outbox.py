"""Releases wait here, synced, until they are in the ledger; after a crash the same bytes are sent again."""

import hashlib
from pathlib import Path

from client.ledger_file import LedgerFile
from client.state import private_folder, write_synced
from shared.errors import PrivacyRefusal
from shared.privacy.records import Spend
from shared.wire import Envelope


class Outbox:
    """One file a release, named by its digest. The order of a release: outbox, ledger, egress log, send."""

    def __init__(self, folder: Path, ledger: LedgerFile) -> None:
        self._folder = private_folder(folder)
        known = {spend.digest for spend in ledger.spends}
        for path in self._folder.iterdir():
            if path.stem not in known:
                path.unlink()  # a crash came before the ledger's line: nothing was spent, nothing may leave

    def put(self, envelope: Envelope) -> str:
        """Keep a release; returns its digest. It is on the disk when this returns."""
        digest = envelope.digest
        write_synced(self._folder / f"{digest}.safetensors", envelope.to_bytes())
        return digest

    def take(self, spend: Spend) -> Envelope:
        """The release of a ledger line, byte for byte."""
        path = self._folder / f"{spend.digest}.safetensors"
        if not path.exists():
            raise PrivacyRefusal(
                "release-lost", "this round was released before and its copy is gone; it is not repeated"
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() != spend.digest:
            raise PrivacyRefusal("release-damaged", "the kept copy of this round's release is damaged; it is not sent")
        return Envelope.from_file(str(path))
