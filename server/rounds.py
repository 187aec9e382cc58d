"""One run of a study: ask, collect, audit, aggregate, checkpoint; then freeze, choose thresholds, and validate."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

from flwr.serverapp import Grid

from server.boosting import boost
from server.checkpoint import FROZEN, Progress, load_checkpoint, save_checkpoint, save_weights
from server.cuts import Cuts, cuts_from
from server.directions import Directions, against
from server.proportional import proportional
from server.questions import Assignment, Questions
from server.quorum import roll_call
from server.record import RoundTime, RunRecord
from server.selection import chosen
from server.spool import Spool
from server.strategies import STRATEGIES
from server.weights import Averager, fused_start, initial_weights
from shared.boosting import STAGE as BOOST
from shared.boosting import rounds_of
from shared.errors import RunError
from shared.privacy.mechanism import stages_of
from shared.proportional import STAGE as COX
from shared.proportional import cox_in
from shared.selection import PREFIX as READ
from shared.tensors import weights_digest
from shared.wire import Train


def conduct(grid: Grid, job: Assignment) -> RunRecord:
    """Run it from the first question to the last figure, or go on from its checkpoint in the job's folder.

    RunError if too few hospitals take part, or if no checkpoint that was made is whole.
    """
    begun = time.monotonic()
    run = load_checkpoint(checkpoint_file(job), job.run) or Progress(initial_weights(job.study, job.folder))
    earlier = run.seconds
    nodes = roll_call(grid, {*job.trainers, *job.evaluators}, job.deadline)
    desk = Questions(grid, job, nodes, run.diary)
    # 1. Who is there, with how many patients, and which columns are read?
    _open(desk, run)
    # 2. Train, stage by stage; each stage ends with its average over the last half of its rounds.
    for stage, rounds in stages_left(job, run):
        _train(desk, run, stage, rounds)
    # 3. Freeze: from here on the weights have one digest.
    frozen = {**run.weights, **run.learners}
    digest = weights_digest(frozen)
    # 4. Recalibration and thresholds, from training patients only; hospitals commit to them with the first figure.
    if run.stage != FROZEN:
        cuts = cuts_from(job.study, job.models, desk.tallies(frozen))
        run.thresholds, run.recalibration, run.stage = cuts.thresholds, cuts.recalibration, FROZEN
        run.diary.notes += cuts.notes
        save_checkpoint(checkpoint_file(job), job.run, run)
    save_models(job, run, digest)
    committed = datetime.now(UTC).isoformat(timespec="seconds")
    # 5. Validate everywhere.
    answers = desk.evaluate(frozen, digest, Cuts(run.thresholds, run.recalibration))
    desk.journal.tell("finished", models=digest)
    return RunRecord(
        run=job.run,
        private=job.study.private,
        trainers=job.trainers,
        cohorts=run.cohorts or {},
        ledger=tuple(run.diary.ledger),
        models=digest,
        thresholds=run.thresholds,
        committed=committed,
        recalibration=run.recalibration,
        figures={site: answer.figures for site, answer in answers.items()},
        portraits={site: answer.portraits for site, answer in answers.items()},
        splits=run.diary.splits,
        failures=tuple(run.diary.failures),
        unpublished=tuple(sorted(run.diary.unpublished)),
        rounds=tuple(run.diary.rounds),
        notes=tuple(run.diary.notes),
        seconds=earlier + time.monotonic() - begun,
    )


def _open(desk: Questions, run: Progress) -> None:
    """What stands before the first round."""
    run.cohorts = run.cohorts or desk.describe()
    if not run.stage:
        run.learners |= chosen(desk)


def _train(desk: Questions, run: Progress, stage: str, rounds: int) -> None:
    """One stage of the study's models, or of what is learned beside them."""
    if stage == BOOST:
        boost(desk, run, rounds, checkpoint_file(desk.job))
    elif stage == COX:
        proportional(desk, run, checkpoint_file(desk.job))
    else:
        _stage(desk, run, stage, rounds)


def save_models(job: Assignment, run: Progress, digest: str) -> None:
    """The frozen weights, with the last step of those that are recalibrated."""
    note = {"digest": digest, "privacy": job.study.privacy.model_dump_json()}
    if run.recalibration:
        note["recalibration"] = json.dumps(run.recalibration, sort_keys=True)
    save_weights(job.folder / "models" / f"{job.label}.safetensors", {**run.weights, **run.learners}, note)


def checkpoint_file(job: Assignment) -> Path:
    """Where the run's last checkpoint is."""
    return job.folder / "checkpoints" / f"{job.label}.safetensors"


def stages_left(job: Assignment, run: Progress) -> list[tuple[str, int]]:
    """(stage, rounds) of training from where the run stands, the stage that it is in among them."""
    training: list[tuple[str, int]] = [
        (stage, rounds) for stage, rounds, _ in stages_of(job.study) if stage != "threshold"
    ]
    if trees := rounds_of(job.study, job.run.arm):
        training.append((BOOST, trees))
    if cox_in(job.study, job.run.arm):
        training.append((COX, 0))  # as many as it takes
    names = [*(stage for stage, _ in training), FROZEN]
    return training[names.index(run.stage) :] if run.stage else training


def _stage(desk: Questions, run: Progress, stage: str, rounds: int) -> None:
    """All rounds of one stage that are left, and the stage's average as its last weights."""
    if run.stage != stage:
        if stage in ("fusion", "joint"):
            run.weights = fused_start(desk.job.study, run.weights, desk.job.folder)
        first = rounds // 2 + 1 if desk.job.study.training.average == "last-half" else rounds
        run.average = Averager(first, Spool[str](desk.job.folder))
        run.stage, run.round, run.diary.cosines = stage, 0, {}
    directions = Directions(run.diary.cosines)
    for number in range(run.round + 1, rounds + 1):
        _round(desk, run, number, directions)
    opposed = against(run.diary.cosines) if stage != "fusion" else {}  # fusions start near an optimum: all differ
    for site, cosine in opposed.items():
        run.diary.notes.append(
            f"{site}: its updates of stage {stage} point against the others' (mean cosine {cosine:.2f}): look for "
            "exchanged labels or a changed program there"
        )
    run.weights = run.average.mean(run.weights)


def _round(desk: Questions, run: Progress, number: int, directions: Directions) -> None:
    """One round: the next weights, and a checkpoint; RunError if too few hospitals answered."""
    begun, job, stage = time.monotonic(), desk.job, run.stage
    task = Train(study=job.study.text, run=job.run, stage=stage, round=number)  # type: ignore[arg-type]
    read = {name: values for name, values in run.learners.items() if name.startswith(READ)}
    updates = desk.updates(task, run.weights, read)
    for site in updates.sites:
        directions.add(site, updates.of(site))
    directions.close_round()
    groups = updates.contributors
    few = {group for group, sites in groups.items() if len(sites) < job.min_contributors}
    if not groups.keys() - few:
        raise RunError(
            f"stage {stage}, round {number}: fewer than {job.min_contributors} hospitals answered with an update; "
            f"what was reached before is kept in checkpoints/{job.label}.safetensors. {desk.diary.told()}"
        )
    run.diary.unpublished.update(few)
    run.weights = updates.moved(run.weights, STRATEGIES[job.study.training.strategy], job.min_contributors)
    run.average.add(number, run.weights)
    run.round, seconds = number, time.monotonic() - begun
    run.seconds += seconds
    answered = tuple(sorted({site for sites in groups.values() for site in sites}))
    run.diary.rounds.append(RoundTime(stage=stage, round=number, answered=answered, seconds=seconds))
    save_checkpoint(checkpoint_file(job), job.run, run)
    desk.journal.tell("round", stage=stage, round=number, answered=answered, seconds=round(seconds, 3))
