"""Adds the comparators of a study to the records of its arms alone and pooled, under the hospitals' own minimums."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from client.archive import Archive, Data
from client.evaluation import Ward, model_figures
from client.imputation import imputed
from client.site import Limits
from server.record import RunRecord
from shared.batch import Batch
from shared.cohorts import ROLES, Fold, fold_named
from shared.learners import Comparator
from shared.metrics.threshold import threshold_counts, youden
from shared.study import Study
from shared.wire import SiteFigures
from simulations.comparators.fit import Floats, fitted, scores
from simulations.pool import Pool


def compared(study: Study, archives: Mapping[str, Archive], records: Sequence[RunRecord]) -> list[RunRecord]:
    """The records, with every comparator beside the models of the arms without privacy for which it was asked."""
    return [_with_comparators(study, archives, record) for record in records]


def _with_comparators(study: Study, archives: Mapping[str, Archive], record: RunRecord) -> RunRecord:
    asked = {name: own for name, own in study.comparators.items() if record.run.arm.partition(":")[0] in own.arms}
    if record.private or not asked:
        return record
    fold, (_, _, alone) = fold_named(study, record.run.fold), record.run.arm.partition(":")
    data: Data = archives[alone] if alone else Pool({site: archives[site] for site in fold.train})
    training = of_role(data, study, fold, "train")
    figures, thresholds = {site: list(own) for site, own in record.figures.items()}, dict(record.thresholds)
    for name, choice in asked.items():
        machine = fitted(study, choice, training)
        if machine is None:
            continue
        thresholds[name] = _threshold(study, training, scores(study, choice, machine, training))
        for site in figures:
            figures[site] += _figures((name, choice), archives[site], (study, fold), (machine, thresholds[name]))
    told = {site: tuple(own) for site, own in figures.items()}
    return record.model_copy(update={"figures": told, "thresholds": thresholds})


def _figures(
    named: tuple[str, Comparator], archive: Archive, where: tuple[Study, Fold], fit: tuple[object, float | None]
) -> list[SiteFigures]:
    """Figures of a trained comparator at one hospital."""
    (name, choice), (study, fold), (machine, threshold) = named, where, fit
    limits: Limits = archive.site.limits
    found: list[SiteFigures] = []
    for role in ROLES:
        batch = of_role(archive, study, fold, role)
        if len(batch):
            ward = Ward.of(study.outcome, role, batch, limits)
            found += model_figures(name, ward, scores(study, choice, machine, batch), threshold)
    return found


def of_role(data: Data, study: Study, fold: Fold, role: str) -> Batch:
    """The units of a role."""
    roles = data.roles(study, fold)
    return imputed(study, data.batch(study), roles).pick(torch.from_numpy(np.array(roles) == role))


def _threshold(study: Study, training: Batch, found: Floats) -> float | None:
    """Youden's cut on the training units, as the models have; none where the outcome has no single threshold."""
    if study.evaluation.threshold is None:
        return None
    return youden(threshold_counts(training.outcome[:, 0].numpy(), found[:, 0], np.ones(len(found))))
