"""The agent's work for a question about Cox regressions: sums of its training patients, without privacy only."""

from client.agent.books import Books
from client.agent.desk import Desk
from client.agent.work import Answer
from client.proportional import named, sums
from shared.errors import PrivacyRefusal
from shared.proportional import MOST_ROUNDS, STAGE, due
from shared.wire import Arrays, Envelope, SumHazards, Summed


def sum_hazards(desk: Desk, books: Books, task: Envelope) -> Answer:
    """The sums of each regression that is asked about, at the coefficients that came with the question."""
    header = task.header
    assert isinstance(header, SumHazards)
    desk.require_training()
    books.commitments.refuse_training(desk.run)
    asked = due(desk.study, desk.run.arm, task.arrays)
    if desk.plan or not asked or header.round > MOST_ROUNDS:
        raise PrivacyRefusal("no-such-round", "the study fits no such regressions")
    books.refuse_out_of_order(desk.run, (STAGE, header.round), task.digest)
    desk.load(task.arrays)
    limits, batch = desk.site.limits, desk.patients("train")
    minimums = {"patients": limits.min_patients, "events": limits.min_class, "cell": limits.min_cell}
    told: Arrays = {}
    for name in asked:
        told |= named(name, sums(desk.hazards[name], desk.model, batch, minimums))
    return Envelope(Summed(round=header.round), told), None
