"""Answers each task of the server, or refuses it; state is on the disk, so an agent can be rebuilt in any process."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

from client.agent.books import Books, open_books
from client.agent.desk import Desk
from client.agent.work import Answer, describe, evaluate, tally_threshold, train
from client.archive import Data
from client.gatekeeper import check_outgoing, check_study
from client.site import Site
from shared.errors import FileError, PrivacyRefusal, StudyError
from shared.privacy.records import RunKey
from shared.study_file import study_from_text
from shared.wire import Describe, Envelope, Evaluate, Refused, TallyThreshold, Task, Train

log = logging.getLogger(__name__)

WORK: dict[type[Task], Callable[[Desk, Books, Envelope], Answer]] = {
    Describe: describe,
    Train: train,
    TallyThreshold: tally_threshold,
    Evaluate: evaluate,
}
INTERNAL = Refused(code="internal", sentence="the task failed at this hospital; its own log says where")


class Agent:
    """One hospital's agent over its data; in a simulation it is called directly, with the same decisions."""

    def __init__(self, data: Data, site: Site) -> None:
        self._data, self._site = data, site
        self._desks: dict[RunKey, Desk] = {}

    def answer(self, task: Envelope) -> Envelope:
        """The reply to a task, or a refusal; no text of an exception leaves, as it may hold a patient's value."""
        if not isinstance(task.header, Task):
            return Envelope(Refused(code="not-a-task", sentence="this message asks for nothing"))
        try:
            with open_books(self._site) as books:
                return self._answer(task.header, task, books)
        except PrivacyRefusal as refusal:  # of the books themselves: they are damaged, so nothing can be noted
            return Envelope(Refused(code=refusal.code, sentence=refusal.sentence))
        except Exception as failure:
            log.error("could not answer: %s", place_of(failure))
            return Envelope(INTERNAL)

    def _answer(self, header: Task, task: Envelope, books: Books) -> Envelope:
        try:
            reply, spend = self._work(header, task, books)
            check_outgoing(reply, self._site, self._desks[header.run].model)
        except PrivacyRefusal as refusal:
            reply, spend = Envelope(Refused(code=refusal.code, sentence=refusal.sentence)), None
        except StudyError:
            sentence = "the task's study is not one that this hospital's program knows"
            reply, spend = Envelope(Refused(code="study-unreadable", sentence=sentence)), None
        except FileError as error:
            log.warning("%s", error)  # stays here: the hospital's own people mend it
            sentence = "this hospital's data cannot be used as they are"
            reply, spend = Envelope(Refused(code="data-unreadable", sentence=sentence)), None
        except Exception as failure:
            log.error("a task failed: %s", place_of(failure))
            reply, spend = Envelope(INTERNAL), None
        return books.release(header, reply, spend)

    def _work(self, header: Task, task: Envelope, books: Books) -> Answer:
        books.refuse_if_behind(header.head)
        if header.run not in self._desks:
            study = study_from_text(header.study)
            if study.digest != header.run.study:
                raise PrivacyRefusal("wrong-digest", "the study's digest is not that of its text")
            check_study(self._site, self._data.members, study)
            self._desks[header.run] = Desk(self._data, self._site, study, header.run)
        return WORK[type(header)](self._desks[header.run], books, task)


def place_of(failure: Exception) -> str:
    """What failed and where, without the exception's own text, which may hold a patient's value."""
    frames = traceback.extract_tb(failure.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    return f"{type(failure).__name__} at {where}"
