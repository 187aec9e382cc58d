"""How a study of the catalog is enlarged until chance is small: 3,000 patients to learn from, and 5,000 fresh ones.

Without privacy, and under the oracle's own conditions: complete rows, right labels, no leak. What is then left between
the pooled arm and its oracle is due to the encoders and the training, and between the two arms to federating.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.cohorts import folds
from shared.study import Study
from simulations.catalog.cuts import Cut, frequent_events

LEARNED, FRESH = 3000, 5000  # patients over all training hospitals
ROUNDS, STEPS = 20, 10  # of each stage, at least
WITHIN = 0.03  # of the main figure: what may be lost to the oracle, and to federating
LEFT_OUT = {  # keys of [training]
    *("sampling", "sample_rate", "batch"),  # what a private step of a large hospital needs
    "resample",  # the oracle ranks by the classes' own shares (docs/catalog.md has what balancing loses)
}


def ample(study: Study) -> list[Cut]:
    """What makes a study ample; its modalities, encoders, fusion, loss and hospitals' machines stay as they are."""
    return [*_cohorts(study), *_training(study), *_patients(study)]


def _cohorts(study: Study) -> Iterator[Cut]:
    """Every hospital that trains keeps half of its patients aside, and has every modality; the others are left out."""
    sites = _training_sites(study)
    size = (LEARNED + FRESH) // len(sites)
    entries = {name: {"patients": size} for name in sites}
    yield Cut(f"sites={_inline(entries)}", f"{LEARNED:,} patients to learn from, {FRESH:,} fresh ones")
    share = round(FRESH / (LEARNED + FRESH), 4)
    scheme = {"scheme": "site-holdout", "train": list(sites), "internal": share}
    yield Cut(f"cohorts={_inline(scheme)}", "fresh patients are of the hospitals that train")


def _training_sites(study: Study) -> tuple[str, ...]:
    """All hospitals that train in any fold."""
    return tuple(dict.fromkeys(name for fold in folds(study) for name in fold.train))


def _training(study: Study) -> Iterator[Cut]:
    kept = study.training.model_dump(mode="json", exclude=LEFT_OUT, exclude_defaults=True)
    more = {"rounds": max(ROUNDS, study.training.rounds), "steps": max(STEPS, study.training.steps)}
    yield Cut(
        f"training={_inline({**kept, **more})}", "trained until little is left to learn, on the classes' own shares"
    )
    yield Cut('privacy={mechanism="none"}', "what privacy costs is another table")
    yield Cut('arms.run=["federated", "pooled"]', "the two arms that are compared")
    yield Cut('fusion.combinations="primary"', "the main model alone")
    for name in ("comparators", "readers", "boosted", "cox"):
        if getattr(study, name):
            yield Cut(f"{name}={{}}", "not compared here")
    yield Cut("evaluation.published={}", "a paper's patients are other ones, and fewer")
    if study.evaluation.published_patients:
        yield Cut("evaluation.published_patients={}", "as above")


def _patients(study: Study) -> Iterator[Cut]:
    """The conditions under which the oracle is told."""
    simulation = study.simulation
    if simulation is None:
        return
    yield from frequent_events(study)
    if study.unit.row and simulation.rows.mean > 1:
        yield Cut("simulation.rows.mean=1", "one row a patient")
    for name, value in (("missing", "{}"), ("empty", "0.0"), ("sentinels", "0.0"), ("leak", "{}")):
        if getattr(simulation, name):
            yield Cut(f"simulation.{name}={value}", "the oracle is of complete rows, and of inputs that do not leak")
    for name in ("coding", "labels"):
        if getattr(simulation.shift, name):
            yield Cut(f"simulation.shift.{name}=0.0", "the oracle is of columns that are read, and of right labels")
    if simulation.prevalence_at:
        yield Cut("simulation.prevalence_at={}", "of hospitals that are left out")


def _inline(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_inline(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
