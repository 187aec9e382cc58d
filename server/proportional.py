"""Cox regressions over hospitals: Newton's method on their sums, each hospital a stratum; then the baseline hazard."""

import time
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from server.checkpoint import Progress, save_checkpoint
from server.questions import Questions
from server.record import RoundTime
from shared.errors import RunError
from shared.learners import Cox
from shared.metrics.newton import NewtonSums, maximise
from shared.metrics.tally import Floats
from shared.proportional import MOST_ROUNDS, PREFIX, STAGE, array, cox_in, inputs_of
from shared.wire import Arrays, SumHazards


def proportional(desk: Questions, run: Progress, file: Path) -> None:
    """Every regression that is not fitted yet, with a checkpoint after each; RunError if too few hospitals answered.

    One that has no finite maximum stands in the run's notes, and has no figures.
    """
    job = desk.job
    if run.stage != STAGE:
        run.stage, run.round = STAGE, 0
    for name, choice in cox_in(job.study, job.run.arm).items():
        if PREFIX + name in run.learners:
            continue
        fit = _Fit(desk, run, name, choice)
        found = maximise(fit.sums_at, np.zeros(inputs_of(job.study, choice)))
        if found is None:
            run.diary.notes.append(f"{name}: the Cox regression has no finite maximum, and no figures")
            continue
        rates = baseline(*fit.baseline_at(found.coefficients))
        run.learners[PREFIX + name] = np.concatenate([found.coefficients, rates[:-1]])
        save_checkpoint(file, job.run, run)


def baseline(events: Floats, exposure: Floats) -> Floats:
    """Rate of events in each interval, (intervals,); where nobody was watched apart, that of the interval before."""
    rates, last = np.zeros_like(events), 0.0
    for place, (count, watched) in enumerate(zip(events, exposure, strict=True)):
        last = count / watched if watched > 0 else last
        rates[place] = last
    return rates


class _Fit:
    """One regression: what all hospitals' sums are at given coefficients, each asked once."""

    def __init__(self, desk: Questions, run: Progress, name: str, choice: Cox) -> None:
        self._desk, self._run, self._name, self._choice = desk, run, name, choice
        self._known: dict[bytes, Arrays] = {}

    def sums_at(self, beta: Floats) -> NewtonSums:
        """With the ridge's part."""
        told, ridge = self._asked(beta), self._choice.ridge
        return NewtonSums(
            float(told["likelihood"][0]) - ridge / 2 * float(beta @ beta),
            told["gradient"] - ridge * beta,
            told["information"] + ridge * np.eye(len(beta)),
        )

    def baseline_at(self, beta: Floats) -> tuple[Floats, Floats]:
        """Events, and time watched weighted by hazard, in each interval."""
        told = self._asked(beta)
        return told["events"], told["exposure"]

    def _asked(self, beta: Floats) -> Arrays:
        key = beta.tobytes()
        if key not in self._known:
            self._known[key] = self._ask(beta)
        return self._known[key]

    def _ask(self, beta: Floats) -> Arrays:
        begun, job, run = time.monotonic(), self._desk.job, self._run
        number = run.round + 1
        if number > MOST_ROUNDS:
            raise RunError(f"stage {STAGE}: no end after {MOST_ROUNDS} rounds")
        task = SumHazards(study=job.study.text, run=job.run, round=number)
        started = np.concatenate([beta, np.zeros(job.study.outcome.outputs)])
        replies = self._desk.hazards(task, {**run.weights, **run.learners, PREFIX + self._name: started}, self._name)
        if len(replies) < job.min_contributors:
            raise RunError(f"stage {STAGE}, round {number}: fewer than {job.min_contributors} hospitals sent sums")
        run.round = number
        answered = tuple(sorted(replies))
        seconds = time.monotonic() - begun
        run.seconds += seconds
        run.diary.rounds.append(RoundTime(stage=STAGE, round=number, answered=answered, seconds=seconds))
        self._desk.journal.tell("round", stage=STAGE, round=number, answered=answered, seconds=round(seconds, 3))
        whats = ("likelihood", "gradient", "information", "events", "exposure")
        return {w: reduce(add, (replies[site][array(self._name, w)] for site in answered)) for w in whats}
