"""Which of a training hospital's patients are kept aside as its internal cohort: fixed once, and stored."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path

import numpy as np

from client.cells import moment_of
from client.cohort import Cohort
from client.state import private_folder, write_synced
from shared.cohorts import Fold
from shared.errors import Problem, SiteError
from shared.schemes import ColumnSplit, KFold, PooledSplit, Temporal
from shared.study import Study

LEFT_OUT = ""  # the role of a row that is in no cohort
ACROSS = "on the other side of the cut than the rows by which the patient takes part"  # the rule by which it is in none
SECRET = "split-secret"
Split = dict[str, str]  # by a patient's keyed hash: "train" or "internal", or the number of his part


def roles(cohort: Cohort, study: Study, fold: Fold, site: str, state: Path) -> list[str]:
    """Role of each unit of the cohort, in its order; the split is stored at the first call, and then stays.

    Raises SiteError if the patients are not those for whom the split was fixed.
    """
    found, path = planned_roles(cohort, study, fold, site, state), _path(study, state)
    if site in fold.train and divided(study) and not path.exists():
        private_folder(path.parent)
        split = _drawn(cohort, study, site)
        write_synced(path, json.dumps(split, sort_keys=True).encode())
    return found


def planned_roles(cohort: Cohort, study: Study, fold: Fold, site: str, state: Path) -> list[str]:
    """What ``roles`` gives, without storing anything: "external", or "train" and "internal", or LEFT_OUT.

    All units of a patient have one role; only where time divides may some of them be left out.
    """
    if site in fold.external:
        return ["external"] * len(cohort.units)
    drawn, path = _drawn(cohort, study, site), _path(study, state)
    if not divided(study) or (isinstance(study.cohorts, KFold) and fold.held is None):
        return ["train"] * len(cohort.units)
    ranks, split = _ranks(study, cohort), _stored(study, path) if path.exists() else drawn
    if set(split) != set(ranks):
        new, gone = len(set(ranks) - set(split)), len(set(split) - set(ranks))
        rule = f"the split was fixed for other patients: {new} are new, {gone} are gone"
        raise SiteError(
            [Problem("splits", study.name, rule, "a changed cohort is a new study: give it another name or seed")]
        )
    if isinstance(study.cohorts, KFold):
        return ["internal" if split[rank] == str(fold.held) else "train" for rank in ranks]
    if isinstance(study.cohorts, Temporal):
        later = _later(cohort, study.cohorts)
        return [
            split[rank] if after == (split[rank] == "internal") else LEFT_OUT
            for rank, after in zip(ranks, later, strict=True)
        ]
    return [split[rank] for rank in ranks]


def divided(study: Study) -> bool:
    """Whether training hospitals keep any of their patients aside."""
    return bool(getattr(study.cohorts, "internal", True))


def commitment(study: Study, state: Path) -> str | None:
    """A digest of the stored split under a secret of the hospital, which it can show to an auditor with the list.

    Without the secret the digest would tell whoever knows all patients but one whether he is among them.
    """
    path, secret = _path(study, state), state / SECRET
    if not path.exists():
        return None
    if not secret.exists():
        write_synced(secret, secrets.token_bytes(32))
    return hmac.new(secret.read_bytes(), path.read_bytes(), hashlib.sha256).hexdigest()


def _drawn(cohort: Cohort, study: Study, site: str) -> Split:
    """The split as the scheme makes it.

    A column decides where the study names one, a day where it names that. Else patients are ranked by a keyed hash
    within their outcome's stratum; a patient whose units differ belongs to the highest of their strata.
    """
    cohorts, ranks = study.cohorts, _ranks(study, cohort)
    if isinstance(cohorts, ColumnSplit):
        return dict(zip(ranks, _by_column(cohort, cohorts), strict=True))
    if isinstance(cohorts, Temporal):
        after = {rank for rank, later in zip(ranks, _later(cohort, cohorts), strict=True) if later}
        return {rank: "internal" if rank in after else "train" for rank in ranks}
    strata = _ranked(ranks, study.outcome.strata(cohort.outcome).tolist())
    if isinstance(cohorts, KFold):
        dealt = (rank for stratum in sorted(strata) for rank in strata[stratum])
        return {rank: str(place % cohorts.folds + 1) for place, rank in enumerate(dealt)}
    split = dict.fromkeys(ranks, "train")
    for stratum, ranked in strata.items():
        up = _uniform(study, site, stratum) if isinstance(cohorts, PooledSplit) else 0.5
        for rank in ranked[: int(np.floor(cohorts.internal * len(ranked) + up))]:
            split[rank] = "internal"
    return split


def _ranked(ranks: list[str], strata: list[int]) -> dict[int, list[str]]:
    """Patients of each stratum in the order of their hashes."""
    highest: dict[str, int] = {}
    for rank, stratum in zip(ranks, strata, strict=True):
        highest[rank] = max(stratum, highest.get(rank, 0))
    return {
        stratum: sorted(rank for rank, own in highest.items() if own == stratum)
        for stratum in sorted(set(highest.values()))
    }


def _uniform(study: Study, site: str, stratum: int) -> float:
    """A keyed number in [0, 1): shares rounded up so often that the pool has the declared one, whatever its parts."""
    digest = hashlib.blake2b(f"{site}:{stratum}".encode(), key=_hash_key(study), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _later(cohort: Cohort, split: Temporal) -> list[bool]:
    """Whether each unit lies on the day of the cut or after it; rows without a date are not eligible."""
    cut = datetime.combine(split.cut, time())
    return [(moment_of(unit.row[split.column]) or cut) >= cut for unit in cohort.units]


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


def _stored(study: Study, path: Path) -> Mapping[str, str]:
    """A stored split; SiteError unless every patient stands in it once, in training or internal or a part."""
    parts = study.cohorts.folds if isinstance(study.cohorts, KFold) else 0
    known = {str(part) for part in range(1, parts + 1)} if parts else {"train", "internal"}
    try:
        pairs: list[tuple[str, str]] = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        split = dict(pairs)
        whole = len(split) == len(pairs) and set(split.values()) <= known
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


def _key(study: Study) -> str:
    cohorts = study.cohorts.model_dump(mode="json")
    content = [study.name, study.seed, study.unit.patient, study.outcome.model_dump(), cohorts]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _hash_key(study: Study) -> bytes:
    return hashlib.sha256(f"{study.name}:{study.seed}".encode()).digest()


def _rank(study: Study, patient: str) -> str:
    """A patient's place in the order: a hash keyed by the study's name and seed, so no order of the table shows."""
    return hashlib.blake2b(patient.encode(), key=_hash_key(study), digest_size=16).hexdigest()
