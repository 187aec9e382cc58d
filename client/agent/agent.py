"""Answers each task of the server, or refuses it; state is on the disk, so an agent can be rebuilt in any process."""

import errno
import logging
import traceback
from collections.abc import Callable
from pathlib import Path

from client.agent.books import Books, open_books
from client.agent.boost import boost
from client.agent.desk import Desk
from client.agent.proportional import sum_hazards
from client.agent.select import count
from client.agent.work import Answer, describe, evaluate, tally_threshold, train
from client.approvals import require_approval
from client.archive import Data
from client.gatekeeper import check_outgoing, check_study
from client.site import Site
from shared.errors import FileError, PrivacyRefusal, StudyError
from shared.privacy.records import RunKey
from shared.study import Study
from shared.study_file import study_from_text
from shared.wire import Boost, Count, Describe, Envelope, Evaluate, Refused, SumHazards, TallyThreshold, Task, Train

log = logging.getLogger(__name__)

WORK: dict[type[Task], Callable[[Desk, Books, Envelope], Answer]] = {
    Describe: describe,
    Count: count,
    Train: train,
    Boost: boost,
    SumHazards: sum_hazards,
    TallyThreshold: tally_threshold,
    Evaluate: evaluate,
}
INTERNAL = PrivacyRefusal("internal", "the task failed at this hospital; its own log says where")
NO_TASK = PrivacyRefusal("not-a-task", "this message asks for nothing")
FULL = PrivacyRefusal(
    "disk-full", "this hospital's disk is full; nothing was sent and nothing is lost, its own people make room"
)
UNKNOWN_STUDY = PrivacyRefusal("study-unreadable", "the task's study is not one that this hospital's program knows")
UNREADABLE_DATA = PrivacyRefusal("data-unreadable", "this hospital's data cannot be used as they are")
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Approval = Callable[[Path, str], str]  # (state folder, digest of a study): the approving line's hash, or PrivacyRefusal


class Agent:
    """One hospital's agent over its data; in a simulation it is called directly, with the same decisions."""

    def __init__(self, data: Data, site: Site, approval: Approval = require_approval) -> None:
        self._data, self._site, self._approval = data, site, approval
        self._desks: dict[RunKey, Desk] = {}

    def prepare(self, study: Study) -> None:
        """Read all that a study needs, before it asks; FileError where the data cannot be used."""
        self._data.batch(study)

    def answer(self, task: Envelope) -> Envelope:
        """The reply to a task, or a refusal; no text of an exception leaves, as it may hold a patient's value."""
        if not isinstance(task.header, Task):
            return self.refuse(NO_TASK)
        header = task.header
        return self._with_books(lambda books: self._answer(header, task, books))

    def refuse(self, refusal: PrivacyRefusal) -> Envelope:
        """Decline what is no task of any run; a line in the egress log says so."""
        return self._with_books(lambda books: books.release(None, _refused(refusal), None))

    def _with_books(self, work: Callable[[Books], Envelope]) -> Envelope:
        """What is made with the books open; where they are damaged or cannot be written, nothing can be noted."""
        try:
            with open_books(self._site) as books:
                return work(books)
        except PrivacyRefusal as refusal:
            return _refused(refusal)
        except Exception as failure:
            log.error("could not answer: %s", place_of(failure))
            return _refused(in_our_words(failure))

    def _answer(self, header: Task, task: Envelope, books: Books) -> Envelope:
        try:
            approval = self._approval(self._site.state, header.run.study)
        except PrivacyRefusal as refusal:  # a head that it names is not believed either
            return books.release(header.model_copy(update={"head": None}), _refused(refusal), None)
        try:
            reply, spend = self._work(header, task, books)
            desk = self._desks[header.run]
            check_outgoing(reply, self._site, desk.model, desk.study, header.run.arm)
        except Exception as failure:
            if not isinstance(failure, PrivacyRefusal):
                log.error("a task failed: %s", place_of(failure))
            reply, spend = _refused(in_our_words(failure)), None
        return books.release(header, reply, spend, {"approval": approval, "question": task.digest})

    def _work(self, header: Task, task: Envelope, books: Books) -> Answer:
        books.refuse_if_behind(header.head)
        if header.run not in self._desks:
            study = study_from_text(header.study)
            if study.digest != header.run.study:
                raise PrivacyRefusal("wrong-digest", "the study's digest is not that of its text")
            check_study(self._site, self._data.members, study)
            self._desks[header.run] = Desk(self._data, self._site, study, header.run)
        return WORK[type(header)](self._desks[header.run], books, task)


def in_our_words(failure: Exception) -> PrivacyRefusal:
    """What may leave of a failure: a code and a sentence of ours."""
    if isinstance(failure, PrivacyRefusal):
        return failure
    if isinstance(failure, FileError):
        log.warning("%s", failure)  # stays here: the hospital's own people mend it
        return UNKNOWN_STUDY if isinstance(failure, StudyError) else UNREADABLE_DATA
    return FULL if isinstance(failure, OSError) and failure.errno in NO_SPACE else INTERNAL


def _refused(refusal: PrivacyRefusal) -> Envelope:
    return Envelope(Refused(code=refusal.code, sentence=refusal.sentence))


def place_of(failure: Exception) -> str:
    """What failed and where, without the exception's own text, which may hold a patient's value."""
    frames = traceback.extract_tb(failure.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    return f"{type(failure).__name__} at {where}"
