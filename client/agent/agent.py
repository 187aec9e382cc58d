"""Answers each task of the server, or refuses it; state is on the disk, so an agent can be rebuilt in any process."""

import logging
from collections.abc import Callable

from client.agent.desk import Books, Desk
from client.agent.work import Answer, describe, evaluate, tally_threshold, train
from client.archive import Data
from client.gatekeeper import check_outgoing, check_study
from client.site import Site
from shared.cohorts import fold_named
from shared.errors import FileError, PrivacyRefusal
from shared.privacy.records import Spend
from shared.study_file import study_from_text
from shared.wire import Describe, Envelope, Evaluate, Refused, TallyThreshold, Task, Train

log = logging.getLogger(__name__)

WORK: dict[type[Task], Callable[[Desk, Envelope], Answer]] = {
    Describe: describe,
    Train: train,
    TallyThreshold: tally_threshold,
    Evaluate: evaluate,
}


class Agent:
    """One hospital's agent over its data; in a simulation it is called directly, with the same decisions."""

    def __init__(self, data: Data, site: Site) -> None:
        self._data, self._site = data, site
        self._books = Books(site)
        self._desks: dict[str, Desk] = {}

    def answer(self, task: Envelope) -> Envelope:
        """The reply to a task, or a refusal; no text of an exception leaves, as it may hold a patient's value."""
        if not isinstance(task.header, Task):
            raise TypeError("this message asks for nothing")
        try:
            return self._release(task.header, *self._work(task.header, task))
        except PrivacyRefusal as refusal:
            reply = Refused(code=refusal.code, sentence=refusal.sentence)
        except FileError as error:
            log.warning("%s", error)  # stays here: the hospital's own people mend it
            reply = Refused(code="data-unreadable", sentence="this hospital's data cannot be used as they are")
        except Exception:
            log.exception("a task failed at this hospital")
            reply = Refused(code="internal", sentence="the task failed at this hospital; its own log says why")
        return self._release(task.header, Envelope(reply), None)

    def _work(self, header: Task, task: Envelope) -> Answer:
        key = header.run.name
        if key not in self._desks:
            study = study_from_text(header.study)
            if study.digest != header.run.study:
                raise PrivacyRefusal("wrong-digest", "the study's digest is not that of its text")
            check_study(self._site, self._data.members, study)
            fold = fold_named(study, header.run.fold)
            self._desks[key] = Desk(self._data, self._site, self._books, study, fold, header.run)
        return WORK[type(header)](self._desks[key], task)

    def _release(self, header: Task, reply: Envelope, spend: Spend | None) -> Envelope:
        """The only way out: gatekeeper, outbox, ledger, egress log, in this order, each synced before the next."""
        desk = self._desks.get(header.run.name)
        check_outgoing(reply, self._site, desk.model if desk else None)
        digest = reply.digest
        if spend:
            self._books.outbox.put(reply)
            self._books.ledger.append(spend.model_copy(update={"digest": digest}))
        self._books.egress.append(header.run, reply, digest)
        return reply
