"""The hospital's books on disk, under one lock: no two processes can spend at the same time.

The ledger's head travels: each reply carries the hash of the ledger's line that belongs to it (its own for a release,
else the last), and the next task brings it back. What a crash leaves, by where it came:

- before the ledger's line: nothing was spent, the outbox's file is destroyed, the server's head is still a line here;
- after it, also when the message was lost on its way: the same bytes go again, with the head of their own line; the
  server may ask with an older head or none: any line of the ledger will do, and a question's digest leaves it out;
- in mid-line: the torn end is cut; it was never synced whole, so its head was never given out;
- a cut tail, an old copy put back, a ledger deleted: a head that was given out is no line here; nothing is answered
  until a named person signs that off, and what the egress log still knows was spent is entered again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from client.commitments import Commitments
from client.egress_log import EgressLog, digests, missing_heads
from client.ledger_file import LedgerFile
from client.outbox import Outbox
from client.site import Site
from client.state import locked
from shared.errors import PrivacyRefusal
from shared.privacy.records import RunKey, Spend
from shared.wire import Envelope, Task

BEHIND = (
    "ledger-behind",
    "this hospital's ledger lacks a line whose hash was given out: its end was cut off, or an old copy put back; a "
    "named person there puts back the right one, or signs off by `python -m client ledger site.toml --resolve`",
)
ANSWERED = ("round-answered", "this round was answered for other weights, and is not answered twice")
STAGES: tuple[str, ...] = (
    "select",
    "encoders",
    "joint",
    "fusion",
    "boost",
    "cox",
    "threshold",
    "validation",
)  # in the order of a run
ANSWERS = ("counted", "trained", "grown", "summed", "tallied")  # kinds of replies that are made once
RUN = ("study", "fold", "arm")


class Books:
    """Ledger, outbox, egress log and commitments of one hospital, as they are while the lock is held."""

    def __init__(self, site: Site) -> None:
        self.ledger = LedgerFile(site.state)
        self.egress = EgressLog(site.state)
        known = {spend.digest for spend in self.ledger.spends} | digests(self.egress.links)
        self.outbox = Outbox(site.state, known)
        self.commitments = Commitments(site.state)

    def refuse_if_behind(self, asked: str | None) -> None:
        """Refuse if a head that was given out, as the server or the egress log knows, is no line of the ledger."""
        if missing_heads(self.egress.links, self.ledger.heads, asked):
            raise PrivacyRefusal(*BEHIND)

    def released(self, run: RunKey, place: tuple[str, int], question: str) -> Envelope | None:
        """The release of a round that has a line in the ledger: the same bytes, and never for another question."""
        spend = self.ledger.find(run, *place)
        if spend is None:
            return None
        if spend.question != question:
            raise PrivacyRefusal(*ANSWERED)
        return self.outbox.take(spend)

    def refuse_out_of_order(self, run: RunKey, place: tuple[str, int], question: str) -> None:
        """Refuse a round again with other weights, and one before a round that was answered; later ones may come.

        A hospital that was away goes on where the others are. The same question again gives the same answer.
        """
        answered = {
            (link.values["stage"] or "threshold", link.values["round"] or 1): link.values["question"]
            for link in self.egress.links
            if link.values["kind"] in ANSWERS and [link.values[key] for key in RUN] == [run.study, run.fold, run.arm]
        }
        if answered.get(place, question) != question:
            raise PrivacyRefusal(*ANSWERED)
        if place not in answered and any(_order(other) > _order(place) for other in answered):
            raise PrivacyRefusal("out-of-order", "a later round of this run was answered; it does not go back")

    def release(
        self, task: Task | None, reply: Envelope, spend: Spend | None, told: Mapping[str, str] = {}
    ) -> Envelope:
        """Outbox, ledger, egress log, in this order, each synced before the next; then what is returned may leave."""
        reply = reply.of_run(task.run) if task else reply
        digest = reply.digest
        if spend:
            self.outbox.put(reply)
            self.ledger.append(spend.model_copy(update={"digest": digest}))
        lines, head = self.ledger.head_after(digest)
        sent = reply.with_head(head)
        heads = {"asked": task.head if task else None, "head": head, "lines": lines}
        self.egress.append(task.run if task else None, sent, self.ledger.with_digest(digest), {**heads, **told})
        return sent


def _order(place: tuple[str, int]) -> tuple[int, int]:
    return STAGES.index(place[0]), place[1]


@contextmanager
def open_books(site: Site) -> Iterator[Books]:
    """The books as they are on the disk, locked until the end of the block; a second process waits."""
    with locked(site.state):
        yield Books(site)
