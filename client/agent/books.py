"""The hospital's books on disk, under one lock: no two processes can spend at the same time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from client.commitments import Commitments
from client.egress_log import EgressLog
from client.ledger_file import LedgerFile
from client.outbox import Outbox
from client.site import Site
from client.state import private_folder
from shared.errors import PrivacyRefusal
from shared.privacy.records import RunKey, Spend
from shared.wire import Envelope


class Books:
    """Ledger, outbox, egress log and commitments of one hospital, as they are while the lock is held."""

    def __init__(self, site: Site) -> None:
        self.ledger = LedgerFile(site.state)
        self.outbox = Outbox(site.state / "outbox", self.ledger)
        self.egress = EgressLog(site.state)
        self.commitments = Commitments(site.state)

    def released(self, run: RunKey, place: tuple[str, int], question: str) -> Envelope | None:
        """The release of a round that has a line in the ledger: the same bytes, and never for another question."""
        spend = self.ledger.find(run, *place)
        if spend is None:
            return None
        if spend.question != question:
            raise PrivacyRefusal(
                "round-answered", "this round was answered for other weights, and is not answered twice"
            )
        return self.outbox.take(spend)

    def release(self, run: RunKey, reply: Envelope, spend: Spend | None) -> None:
        """Outbox, ledger, egress log, in this order, each synced before the next; then the reply may leave."""
        digest = reply.digest
        if spend:
            self.outbox.put(reply)
            self.ledger.append(spend.model_copy(update={"digest": digest}))
        self.egress.append(run, reply, digest)


@contextmanager
def open_books(site: Site) -> Iterator[Books]:
    """The books as they are on the disk, locked until the end of the block; a second process waits."""
    handle = os.open(private_folder(site.state) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield Books(site)
    finally:
        os.close(handle)  # and with it the lock
