"""A hospital's sums of a Cox regression, and scores of patients by one that was fitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from client.prognosis import merged_edges
from shared.batch import Batch
from shared.errors import PrivacyRefusal
from shared.learners import Cox
from shared.metrics.cox import Stratum, partial_likelihood
from shared.metrics.tally import Floats
from shared.modalities.tabular import Tabular
from shared.model import MultimodalModel, scored
from shared.outcomes.survival import Survival
from shared.proportional import SUMS, array, exposure, interval, log_odds
from shared.study import Study
from shared.wire import Arrays

TOO_FEW = PrivacyRefusal("too-few", "too few patients or events here for the sums of a Cox regression")


@dataclass(frozen=True)
class Hazards:
    """A Cox regression of a study, with what was fitted so far."""

    study: Study
    choice: Cox
    fitted: Floats | None = None

    def scores(self, model: MultimodalModel, batch: Batch) -> Floats | None:
        """Log odds (units, intervals), as of the study's models; None where nothing was fitted."""
        if self.fitted is None:
            return None
        assert isinstance(self.study.outcome, Survival)
        return log_odds(self.fitted, design_of(self.study, self.choice, model, batch), self.study.outcome.cuts)


def design_of(study: Study, choice: Cox, model: MultimodalModel, batch: Batch) -> Floats:
    """Inputs (units, inputs): a table's columns, any other modality's embedding by its encoder, and who has which."""
    parts = []
    for name in choice.modalities:
        values = batch.inputs[name]
        if not isinstance(study.modalities[name], Tabular):
            with torch.no_grad():
                values = model.embed({name: values})[name]
        there = batch.present[name].numpy().astype(np.float64)[:, None]
        parts += [values.numpy().astype(np.float64) * there, there]
    return np.concatenate(parts, axis=1)


def sums(hazards: Hazards, model: MultimodalModel, batch: Batch, minimums: Mapping[str, int]) -> dict[str, Floats]:
    """By what they are: of the training patients who have any of the modalities, at the coefficients so far.

    ``minimums`` are the hospital's own, of patients, events and cells. PrivacyRefusal where there are fewer.
    """
    study, outcome = hazards.study, hazards.study.outcome
    assert isinstance(outcome, Survival)
    known = batch.pick(scored("+".join(hazards.choice.modalities), batch.present))
    time, event = known.outcome.numpy().astype(np.float64).T
    if len(known) < minimums["patients"] or event.sum() < minimums["events"]:
        raise TOO_FEW
    design = design_of(study, hazards.choice, model, known)
    beta = np.zeros(design.shape[1]) if hazards.fitted is None else hazards.fitted[: design.shape[1]]
    newton = partial_likelihood(Stratum(time, event, design))(beta)
    risk = np.exp(np.clip(design @ beta, -50, 50))
    watched = risk @ exposure(outcome, time)
    counted = np.bincount(interval(outcome, time)[event == 1], minlength=len(watched)).astype(np.float64)
    told = (np.array([newton.likelihood]), newton.gradient, newton.information)
    return dict(zip(SUMS, (*told, *gathered(counted, watched, minimums["cell"])), strict=True))


def gathered(events: Floats, watched: Floats, min_cell: int) -> tuple[Floats, Floats]:
    """Events and exposure by interval, small counts joined with their neighbours' at the first of them."""
    edges = merged_edges(events[None], min_cell)
    joined = np.zeros_like(events), np.zeros_like(watched)
    for start, end in pairwise(edges):
        for out, values in zip(joined, (events, watched), strict=True):
            out[start] = values[start:end].sum()
    return joined


def named(name: str, told: Mapping[str, Floats]) -> Arrays:
    """As they travel."""
    return {array(name, what): values for what, values in told.items()}
