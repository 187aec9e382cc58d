"""Chooses the columns that a run's models may read, once, before anything is trained."""

import numpy as np

from server.questions import Questions
from shared.errors import RunError
from shared.selection import PREFIX, kept, mask, scores, selecting
from shared.wire import Arrays


def chosen(desk: Questions) -> Arrays:
    """A mask (features,) for each table with a selection; none where the study has none.

    RunError where too few hospitals told of a table. What was chosen stands in the run's notes.
    """
    study, masks = desk.job.study, dict[str, np.ndarray]()
    tables = selecting(study)
    told = desk.counts() if tables else {}
    for name, spec in tables.items():
        answers = [own[PREFIX + name] for _, own in sorted(told.items()) if PREFIX + name in own]
        if len(answers) < desk.job.min_contributors:
            raise RunError(f"{name}: fewer than {desk.job.min_contributors} hospitals told of its columns")
        columns = kept(spec, scores(spec, np.sum(answers, axis=0)))
        assert spec.select
        note = f"{name}: {len(columns)} of {len(spec.columns)} columns kept by {spec.select.by}: {', '.join(columns)}"
        desk.diary.notes += [] if note in desk.diary.notes else [note]
        masks[PREFIX + name] = mask(spec, columns)
    return masks
