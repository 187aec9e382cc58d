"""The server's questions to the hospitals of one run: asked, audited, and noted who failed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from flwr.serverapp import Grid

from server.auditor import (
    audit_figures,
    audit_named,
    audit_run,
    audit_tallies,
    audit_trees,
    audit_update,
    expect,
)
from server.cuts import Cuts
from server.diary import Diary, Journal, journal_file
from server.heads import Heads
from server.quorum import Answer, ask, connected
from server.record import Failure, Release
from server.updates import Updates
from shared.boosting import boosted_in, due
from shared.cohorts import fold_named, training_patients
from shared.errors import ReplyRejected
from shared.privacy.records import RunKey
from shared.proportional import array, cox_in, shapes
from shared.selection import PREFIX, answer_shape, selecting
from shared.study import Study
from shared.wire import (
    AnyTask,
    Arrays,
    Boost,
    CohortCount,
    Count,
    Counted,
    Describe,
    Described,
    Envelope,
    Evaluate,
    Evaluated,
    Reply,
    SumHazards,
    Summed,
    Tallied,
    TallyThreshold,
    Train,
    Trained,
)


@dataclass(frozen=True)
class Assignment:
    """What is to be run: ``trainers`` train, ``evaluators`` validate (names of hospitals)."""

    study: Study
    run: RunKey
    trainers: tuple[str, ...]
    evaluators: tuple[str, ...]
    min_contributors: int
    folder: Path
    deadline: float  # seconds for an answer
    heads: Path | None = None  # of the hospitals' ledgers over all runs; None: of this run alone, as a what-if is

    @property
    def models(self) -> tuple[str, ...]:
        """All that is frozen: the study's models, and what is learned beside them in this arm."""
        arm = self.run.arm
        return (*self.study.models, *boosted_in(self.study, arm), *cox_in(self.study, arm))

    @property
    def label(self) -> str:
        """A name for this run's files, which says where nothing protected the patients."""
        return self.run.name if self.study.private else f"{self.run.name}.no-privacy"


class Questions:
    """Asks the hospitals of one run, audits what they answer, and notes who failed."""

    def __init__(self, grid: Grid, job: Assignment, nodes: dict[str, int], diary: Diary) -> None:
        self._grid, self._nodes = grid, nodes
        self.job, self.diary = job, diary
        self._heads = Heads(job.heads or job.folder / "heads" / f"{job.label}.json")
        self.journal = Journal(journal_file(job.folder, job.label))
        self._away: set[str] = set()

    def weight(self, site: str) -> float:
        """A hospital's weight: its declared training patients; the pool of a simulation is alone, and weighs one."""
        fold = fold_named(self.job.study, self.job.run.fold)
        return training_patients(self.job.study, site, fold) if site in fold.train else 1.0

    def describe(self) -> dict[str, tuple[CohortCount, ...]]:
        """Cohort sizes by hospital."""
        task = Describe(study=self.job.study.text, run=self.job.run)
        replies = self._audited(self.job.evaluators, task, {}, "describe", lambda reply: expect(reply, Described))
        found = {site: expect(reply, Described) for site, reply in replies}
        self.diary.splits |= {site: told.split for site, told in found.items() if told.split}
        return {site: told.cohorts for site, told in found.items()}

    def counts(self) -> dict[str, Arrays]:
        """What each training hospital says of the columns of which some are chosen."""
        study, task = self.job.study, Count(study=self.job.study.text, run=self.job.run)
        due = {PREFIX + name: answer_shape(own, study.outcome) for name, own in selecting(study).items()}
        replies = self._audited(
            self.job.trainers, task, {}, "select", lambda reply: audit_named(reply, Counted, due, partial=True)
        )
        return {site: reply.arrays for site, reply in replies}

    def updates(self, task: Train, weights: Arrays, read: Arrays) -> Updates:
        """Accepted updates of one round. ``read`` says of which columns."""
        name, taken = f"train {task.stage} {task.round}", Updates(self.job.folder)
        for site, reply in self._audited(
            self.job.trainers, task, {**weights, **read}, name, lambda reply: audit_update(reply, task, weights)
        ):
            header = expect(reply, Trained)
            self._note(site, (header.stage, header.round), header.releases, header.epsilon)
            taken.add(site, self.weight(site), reply.arrays)
            del reply  # before the next is read
        for one in taken.reject_outsized():
            self._fail(one.site, name, f"rejected: its update is {one.times:.0e} times the size of the others'")
        return taken

    def trees(self, task: Boost, boosters: Arrays) -> dict[str, Arrays]:
        """Accepted trees of one round by hospital."""
        own = due(self.job.study, self.job.run.arm, task.round)
        replies = self._audited(
            self.job.trainers, task, boosters, f"boost {task.round}", lambda reply: audit_trees(reply, task, own)
        )
        return {site: reply.arrays for site, reply in replies}

    def hazards(self, task: SumHazards, arrays: Arrays, name: str) -> dict[str, Arrays]:
        """Sums of a Cox regression by hospital; its coefficients are among the arrays."""
        study = self.job.study
        due = {array(name, what): shape for what, shape in shapes(study, study.cox[name]).items()}
        replies = self._audited(
            self.job.trainers, task, arrays, f"cox {task.round}", lambda reply: audit_named(reply, Summed, due)
        )
        return {site: reply.arrays for site, reply in replies}

    def tallies(self, weights: Arrays) -> Arrays:
        """Tallies (2, cells) of training patients by model, over hospitals; none where the study needs none."""
        study = self.job.study
        if not study.tallied:
            return {}
        task, totals = TallyThreshold(study=study.text, run=self.job.run), dict[str, Arrays]()
        for site, reply in self._audited(
            self.job.trainers, task, weights, "threshold", lambda reply: audit_tallies(reply, self.job.models)
        ):
            header = expect(reply, Tallied)
            self._note(site, ("threshold", 1), header.releases, header.epsilon)
            totals[site] = reply.arrays
        if not totals:
            return {}
        return {model: np.sum([own[model] for _, own in sorted(totals.items())], axis=0) for model in self.job.models}

    def evaluate(self, weights: Arrays, digest: str, cuts: Cuts) -> dict[str, Evaluated]:
        """Figures and portraits by hospital."""
        models = (*self.job.models, *self.job.study.nomograms)
        task = Evaluate(
            study=self.job.study.text,
            run=self.job.run,
            models=digest,
            thresholds=cuts.thresholds,
            recalibration=cuts.recalibration,
        )
        replies = self._audited(
            self.job.evaluators, task, weights, "evaluate", lambda reply: audit_figures(reply, task, models)
        )
        answers = {site: expect(reply, Evaluated) for site, reply in replies}
        for site, header in answers.items():
            self._note(site, ("validation", 1), header.releases, header.epsilon)
        return answers

    def _audited(
        self, sites: tuple[str, ...], task: AnyTask, arrays: Arrays, name: str, audit: Callable[[Envelope], object]
    ) -> Iterator[tuple[str, Envelope]]:
        nodes = self._present(sites, name)
        tasks = {site: Envelope(task).with_head(self._heads.of(site)) for site in nodes}
        self.journal.tell("asked", task=name, sites=sorted(nodes))
        for answer in ask(self._grid, nodes, tasks, arrays, self.job.deadline):
            sentence = answer.failure
            if answer.envelope is not None:
                try:
                    audit_run(answer.envelope, self.job.run)
                    audit(answer.envelope)
                except ReplyRejected as rejected:
                    sentence = f"rejected: {rejected}"
                else:
                    self._accepted(answer, answer.envelope, name)
                    yield answer.site, answer.envelope
                    del answer  # before the next is read
                    continue
            self._fail(answer.site, name, sentence)

    def _present(self, sites: tuple[str, ...], name: str) -> dict[str, int]:
        """Nodes to ask, with those of hospitals that have come since the last question; who is away is noted once."""
        self._nodes |= connected(self._grid, set(sites) - set(self._nodes))
        for site in sorted(set(sites) - set(self._nodes) - self._away):
            self._away.add(site)
            self._fail(site, name, "not connected")
        return {site: self._nodes[site] for site in sites if site in self._nodes}

    def _accepted(self, answer: Answer, envelope: Envelope, name: str) -> None:
        """A ledger is chained: one that lacks the last head it gave out was cut off, or is an old copy."""
        header = envelope.header
        if isinstance(header, Reply) and header.head:
            self._heads.keep(answer.site, header.head)
        size = sum(values.nbytes for values in envelope.arrays.values())
        spent = header.epsilon if isinstance(header, Trained | Tallied) else None  # of those who train
        told = {"site": answer.site, "seconds": round(answer.seconds, 3), "bytes": size, "epsilon": spent}
        self.journal.tell("answered", task=name, **told)

    def _fail(self, site: str, name: str, sentence: str) -> None:
        self.diary.failures.append(Failure(site=site, task=name, sentence=sentence))
        self.journal.tell("failed", task=name, site=site, sentence=sentence)

    def _note(self, site: str, place: tuple[str, int], releases: int, epsilon: float | None) -> None:
        if epsilon is not None and releases:
            stage, number = place
            line = Release(site=site, stage=stage, round=number, releases=releases, epsilon=epsilon)
            self.diary.ledger.append(line)
