"""The agent's work for choosing columns: what its training patients say of each, without privacy only."""

from client.agent.books import Books
from client.agent.desk import Desk
from client.agent.work import Answer
from client.selection import answer
from shared.errors import PrivacyRefusal
from shared.selection import PREFIX, STAGE, selecting
from shared.wire import Arrays, Counted, Envelope


def count(desk: Desk, books: Books, task: Envelope) -> Answer:
    """An answer for every table of which columns are chosen, as the study's rules have it."""
    desk.require_training()
    books.commitments.refuse_training(desk.run)
    tables = selecting(desk.study)
    if desk.plan or not tables:
        raise PrivacyRefusal("no-selection", "the study chooses no columns")
    books.refuse_out_of_order(desk.run, (STAGE, 1), task.digest)
    batch, outcome, least = desk.patients("train"), desk.study.outcome, desk.site.limits.min_cell
    told: Arrays = {
        PREFIX + name: answer(spec, outcome, batch, name, least) for name, spec in tables.items() if name in desk.held
    }
    return Envelope(Counted(), told), None
