"""The agent's work for a round of boosting: one tree a learner, on top of those that all hospitals have grown."""

from client.agent.books import Books
from client.agent.desk import Desk
from client.agent.work import Answer
from client.boosting import Growth, grown
from shared.boosting import PREFIX, due, rounds_of
from shared.errors import PrivacyRefusal
from shared.wire import Boost, Envelope, Grown


def boost(desk: Desk, books: Books, task: Envelope) -> Answer:
    """A tree of each learner that still grows; without privacy only, as the study's rules have it."""
    header = task.header
    assert isinstance(header, Boost)
    desk.require_training()
    books.commitments.refuse_training(desk.run)
    if desk.plan or header.round > rounds_of(desk.study, desk.run.arm):
        raise PrivacyRefusal("no-such-round", "the study grows no such trees")
    books.refuse_out_of_order(desk.run, (header.stage, header.round), task.digest)
    desk.take_boosters(task.arrays)
    growth = Growth(desk.trainers, desk.site.limits.min_cell, desk.study.seed % 2**31)
    trees = {
        PREFIX + name: grown(desk.boosters[name], desk.patients("train"), growth)
        for name in due(desk.study, desk.run.arm, header.round)
    }
    return Envelope(Grown(round=header.round), trees), None
