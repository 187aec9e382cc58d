"""Which of a training hospital's patients are kept aside as its internal cohort: fixed once, and stored."""

import hashlib
import json
from pathlib import Path

import numpy as np

from client.cohort import Cohort
from client.state import private_folder, write_synced
from shared.cohorts import Fold
from shared.errors import Problem, SiteError
from shared.study import Study


def roles(cohort: Cohort, study: Study, fold: Fold, site: str, state: Path) -> list[str]:
    """Role of each patient of the cohort, in its order: "external", or "train" and "internal".

    Patients are ranked by a keyed hash within their outcome class, and the first share of each class is internal.
    Raises SiteError if the patients are not those for whom the split was fixed.
    """
    if site in fold.external:
        return ["external"] * len(cohort.patients)
    share = study.cohorts.internal
    if share == 0:
        return ["train"] * len(cohort.patients)
    stored = private_folder(state / "splits") / f"{_key(study)[:16]}.json"
    hashes = [_rank(study, patient.key) for patient in cohort.patients]
    if stored.exists():
        split: dict[str, str] = json.loads(stored.read_text(encoding="utf-8"))
    else:
        split = _draw(hashes, cohort, share)
        write_synced(stored, json.dumps(split, sort_keys=True).encode())
    if set(split) != set(hashes):
        new, gone = len(set(hashes) - set(split)), len(set(split) - set(hashes))
        rule = f"the split was fixed for other patients: {new} are new, {gone} are gone"
        raise SiteError(
            [Problem("splits", study.name, rule, "a changed cohort is a new study: give it another name or seed")]
        )
    return [split[value] for value in hashes]


def _draw(hashes: list[str], cohort: Cohort, share: float) -> dict[str, str]:
    split = dict.fromkeys(hashes, "train")
    for klass in (0, 1):
        ranked = sorted(value for value, outcome in zip(hashes, cohort.outcome, strict=True) if outcome == klass)
        for value in ranked[: int(np.floor(share * len(ranked) + 0.5))]:
            split[value] = "internal"
    return split


def _key(study: Study) -> str:
    content = [study.name, study.seed, study.unit.patient, study.outcome.model_dump(), study.cohorts.model_dump()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rank(study: Study, patient: str) -> str:
    """A patient's place in the order: a hash keyed by the study's name and seed, so no order of the table shows."""
    return hashlib.blake2b(patient.encode(), key=f"{study.name}:{study.seed}".encode()[:64], digest_size=16).hexdigest()
