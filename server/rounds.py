"""One run of a study: ask, collect, audit, aggregate, checkpoint; then freeze, choose thresholds, and validate."""

import time

from flwr.serverapp import Grid

from server.checkpoint import save_weights
from server.questions import Assignment, Diary, Questions
from server.quorum import roll_call
from server.record import RoundTime, RunRecord
from server.strategies import STRATEGIES
from server.weights import Averager, fused_start, initial_weights
from shared.errors import RunError
from shared.privacy.mechanism import stages_of
from shared.wire import Arrays, Train, weights_digest


def conduct(grid: Grid, job: Assignment) -> RunRecord:
    """Run it from the first question to the last figure; RunError if too few hospitals take part."""
    begun, diary = time.monotonic(), Diary()
    nodes = roll_call(grid, {*job.trainers, *job.evaluators}, job.deadline)
    desk = Questions(grid, job, nodes, diary)
    # 1. Who is there, with how many patients?
    cohorts = desk.describe()
    # 2. Train, stage by stage; each stage ends with its average over the last half of its rounds.
    weights = initial_weights(job.study)
    for stage, rounds, _ in stages_of(job.study):
        if stage == "threshold":
            continue
        if stage == "fusion":
            weights = fused_start(job.study, weights)
        weights = _stage(desk, stage, rounds, weights)
    # 3. Freeze: from here on the weights have one digest.
    digest = weights_digest(weights)
    note = {"digest": digest, "privacy": job.study.privacy.model_dump_json()}
    save_weights(job.folder / "models" / f"{job.label}.safetensors", weights, note)
    # 4. Thresholds, from training patients only.
    thresholds = desk.thresholds(weights)
    # 5. Validate everywhere.
    figures = desk.evaluate(weights, digest, thresholds)
    return RunRecord(
        run=job.run,
        private=job.study.private,
        trainers=job.trainers,
        cohorts=cohorts,
        ledger=tuple(diary.ledger),
        models=digest,
        thresholds=thresholds,
        figures=figures,
        failures=tuple(diary.failures),
        unpublished=tuple(sorted(diary.unpublished)),
        rounds=tuple(diary.rounds),
        seconds=time.monotonic() - begun,
    )


def _stage(desk: Questions, stage: str, rounds: int, weights: Arrays) -> Arrays:
    """All rounds of one stage; the weights that it ends with."""
    job = desk.job
    average = Averager(rounds // 2 + 1 if job.study.training.average == "last-half" else rounds)
    for number in range(1, rounds + 1):
        begun = time.monotonic()
        task = Train(study=job.study.text, run=job.run, stage=stage, round=number)  # type: ignore[arg-type]
        strategy = STRATEGIES[job.study.training.strategy]()
        for site, update in desk.updates(task, weights):
            strategy.add(site, desk.weight(site), update)
        groups = strategy.contributors
        few = {group for group, sites in groups.items() if len(sites) < job.min_contributors}
        if not groups.keys() - few:
            raise RunError(
                f"stage {stage}, round {number}: fewer than {job.min_contributors} hospitals answered with an update; "
                f"what was reached before is kept in checkpoints/{job.label}.safetensors. {desk.diary.told()}"
            )
        desk.diary.unpublished.update(few)
        weights = strategy.updated(weights, job.min_contributors)
        average.add(number, weights)
        save_weights(
            job.folder / "checkpoints" / f"{job.label}.safetensors", weights, {"stage": stage, "round": str(number)}
        )
        answered = tuple(sorted({site for sites in groups.values() for site in sites}))
        desk.diary.rounds.append(
            RoundTime(stage=stage, round=number, answered=answered, seconds=time.monotonic() - begun)
        )
    return average.mean(weights)
