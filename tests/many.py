"""The small study over any number of hospitals, with faults, through the in-process grid."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.study import Study
from shared.study_file import study_from_text
from simulations.fault import Fault
from simulations.federation import Federation, run_federation
from tests.small import hospital, small_study

PATIENTS = 100
CALM = 'privacy={mechanism="none"}'


def hospitals(folder: Path, patch: pytest.MonkeyPatch, sites: int, *overrides: str) -> Study:
    """Folders of ``sites`` hospitals, of which the last is external, and the study over them."""
    names = [f"h{number}" for number in range(1, sites + 1)]
    patch.setattr("tests.small.SITES", names)  # the place in it is the seed of a hospital's patients
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        hospital(folder / "data", name, open_to_all=True, patients=PATIENTS)
    values = json.loads(small_study(folder, *overrides).text)
    values["sites"] = {name: {"patients": PATIENTS} for name in names}
    values["cohorts"] |= {"train": names[:-1], "external": names[-1:]}
    return study_from_text(json.dumps(values))


def federation(
    folder: Path, patch: pytest.MonkeyPatch, sites: int, faults: Mapping[str, Fault], *overrides: str
) -> Federation:
    """Run it."""
    study = hospitals(folder, patch, sites, *overrides)
    return run_federation(study, folder / "data", folder / "results", faults)
