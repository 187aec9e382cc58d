"""Boosted trees over hospitals by bagging: in each round every hospital's tree joins the common ones (Flower's own)."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from server.checkpoint import Progress, save_checkpoint
from server.questions import Questions
from server.record import RoundTime
from shared.boosting import PREFIX, STAGE, Content, due
from shared.errors import RunError
from shared.wire import Boost


def boost(desk: Questions, run: Progress, rounds: int, file: Path) -> None:
    """All rounds that are left, with a checkpoint after each; RunError if too few hospitals answered one."""
    job = desk.job
    if run.stage != STAGE:
        run.stage, run.round = STAGE, 0
    for number in range(run.round + 1, rounds + 1):
        begun, named = time.monotonic(), [PREFIX + name for name in due(job.study, job.run.arm, number)]
        task = Boost(study=job.study.text, run=job.run, round=number)
        replies = desk.trees(task, {name: run.learners[name] for name in named if name in run.learners})
        if len(replies) < job.min_contributors:
            raise RunError(f"stage {STAGE}, round {number}: fewer than {job.min_contributors} hospitals grew a tree")
        for _, trees in sorted(replies.items()):
            for name in named:
                run.learners[name] = joined(run.learners.get(name), trees[name])
        run.round, seconds = number, time.monotonic() - begun
        run.seconds += seconds
        answered = tuple(sorted(replies))
        run.diary.rounds.append(RoundTime(stage=STAGE, round=number, answered=answered, seconds=seconds))
        save_checkpoint(file, job.run, run)
        desk.journal.tell("round", stage=STAGE, round=number, answered=answered, seconds=round(seconds, 3))


def joined(before: Content | None, tree: Content) -> Content:
    """The common booster with one more tree, as FedXgbBagging joins them."""
    from flwr.serverapp.strategy.strategy_utils import aggregate_bagging

    join: Callable[[bytes, bytes], bytes] = aggregate_bagging
    return np.frombuffer(join(b"" if before is None else before.tobytes(), tree.tobytes()), dtype=np.uint8)
