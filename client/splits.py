"""Which of a training hospital's patients are kept aside as its internal cohort: fixed once, and stored."""

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from client.cohort import Cohort
from client.state import private_folder, write_synced
from shared.cohorts import Fold
from shared.errors import Problem, SiteError
from shared.study import ColumnSplit, Study


def roles(cohort: Cohort, study: Study, fold: Fold, site: str, state: Path) -> list[str]:
    """Role of each unit of the cohort, in its order; the split is stored at the first call, and then stays.

    Raises SiteError if the patients are not those for whom the split was fixed.
    """
    found, path = planned_roles(cohort, study, fold, site, state), _path(study, state)
    if site in fold.train and internal_share(study) > 0 and not path.exists():
        private_folder(path.parent)
        split = dict(zip(_ranks(study, cohort), found, strict=True))
        write_synced(path, json.dumps(split, sort_keys=True).encode())
    return found


def planned_roles(cohort: Cohort, study: Study, fold: Fold, site: str, state: Path) -> list[str]:
    """What ``roles`` gives, without storing anything: "external", or "train" and "internal".

    A study's own column decides where it names one. Else patients are ranked by a keyed hash within their outcome's
    stratum, and the first share of each is internal: all units of a patient together. A patient whose units differ
    belongs to the highest of their strata.
    """
    if site in fold.external:
        return ["external"] * len(cohort.units)
    if isinstance(study.cohorts, ColumnSplit):
        return _by_column(cohort, study.cohorts)
    if internal_share(study) == 0:
        return ["train"] * len(cohort.units)
    ranks, path = _ranks(study, cohort), _path(study, state)
    drawn = _draw(ranks, study.outcome.strata(cohort.outcome), internal_share(study))
    split = _stored(path) if path.exists() else drawn
    if set(split) != set(ranks):
        new, gone = len(set(ranks) - set(split)), len(set(split) - set(ranks))
        rule = f"the split was fixed for other patients: {new} are new, {gone} are gone"
        raise SiteError(
            [Problem("splits", study.name, rule, "a changed cohort is a new study: give it another name or seed")]
        )
    return [split[rank] for rank in ranks]


def internal_share(study: Study) -> float:
    """The share of a hospital's patients that is drawn to be kept aside; none where a column says who is."""
    return 0.0 if isinstance(study.cohorts, ColumnSplit) else study.cohorts.internal


def _by_column(cohort: Cohort, split: ColumnSplit) -> list[str]:
    place = f"column {split.column}"
    if split.column not in cohort.columns:
        raise SiteError([Problem("patients.csv", place, "is missing", "the study splits patients by it: add it")])
    roles = {**dict.fromkeys(split.train, "train"), **dict.fromkeys(split.internal, "internal")}
    values = [unit.row[split.column] for unit in cohort.units]
    problems = []
    if unknown := [unit.line for unit, value in zip(cohort.units, values, strict=True) if value not in roles]:
        rule = f"{len(unknown)} rows have none of {', '.join(roles)}, the first in line {unknown[0]}"
        problems.append(Problem("patients.csv", place, rule, "correct the column"))
    elif len({(unit.patient, roles[v]) for unit, v in zip(cohort.units, values, strict=True)}) > cohort.patients:
        problems.append(Problem("patients.csv", place, "rows of one patient differ", "a patient has one role"))
    if problems:
        raise SiteError(problems)
    return [roles[value] for value in values]


def _stored(path: Path) -> dict[str, str]:
    """A stored split; SiteError unless every patient stands in it once, in training or internal."""
    try:
        pairs: list[tuple[str, str]] = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        split = dict(pairs)
        whole = len(split) == len(pairs) and set(split.values()) <= {"train", "internal"}
    except (ValueError, TypeError, OSError):
        whole = False
    if not whole:
        rule = "the stored split is damaged, or a patient stands in it twice"
        raise SiteError([Problem("splits", path.name, rule, "restore it from a backup of the state folder")])
    return split


def _path(study: Study, state: Path) -> Path:
    return state / "splits" / f"{_key(study)[:16]}.json"


def _ranks(study: Study, cohort: Cohort) -> list[str]:
    return [_rank(study, unit.patient) for unit in cohort.units]


def _draw(hashes: list[str], strata: npt.NDArray[np.int64], share: float) -> dict[str, str]:
    split, highest = dict.fromkeys(hashes, "train"), dict[str, int]()
    for value, stratum in zip(hashes, strata.tolist(), strict=True):
        highest[value] = max(stratum, highest.get(value, 0))
    for stratum in sorted(set(highest.values())):
        ranked = sorted(value for value, own in highest.items() if own == stratum)
        for value in ranked[: int(np.floor(share * len(ranked) + 0.5))]:
            split[value] = "internal"
    return split


def _key(study: Study) -> str:
    content = [study.name, study.seed, study.unit.patient, study.outcome.model_dump(), study.cohorts.model_dump()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rank(study: Study, patient: str) -> str:
    """A patient's place in the order: a hash keyed by the study's name and seed, so no order of the table shows."""
    key = hashlib.sha256(f"{study.name}:{study.seed}".encode()).digest()
    return hashlib.blake2b(patient.encode(), key=key, digest_size=16).hexdigest()
