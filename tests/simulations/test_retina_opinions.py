"""RetinaMNIST with its simulated opinions, as retina-severity reads it: a check, and a round by the printed command."""

import csv
import shlex
from collections import Counter

import numpy as np
import pytest

from client.check import check
from client.site import load_site
from shared.study_file import load_study
from simulations.__main__ import parser
from simulations.federation import run_federation
from simulations.importers import retina_mnist
from simulations.importers.retina_mnist import SITES, import_retina_mnist
from simulations.importers.retina_opinions import opinions
from simulations.importers.tables import file_digest

ONE_ROUND = [
    'arms.run=["federated"]',
    "training.rounds=1",
    'privacy={mechanism="none"}',
    'fusion.combinations="primary"',
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A release of 240 photographs, as many of each grade, and what the import says."""
    folder, rng, arrays = tmp_path_factory.mktemp("retina"), np.random.default_rng(0), {}
    for split, count in (("train", 120), ("val", 20), ("test", 100)):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, 28, 28, 3), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count)[:, None] % 5
    np.savez(folder / "retinamnist.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retina_mnist, "DIGEST", file_digest(folder / "retinamnist.npz", "md5"))
        return folder / "out", import_retina_mnist(folder, folder / "out")


def study_of(sentence, more=()):
    """The study and the folder of hospitals that a printed command names."""
    call = shlex.split(sentence.partition(": ")[2])
    given = parser().parse_args(call[call.index("run") :])
    return load_study(given.study, [*given.set, *more]), given.data


def test_the_texts_follow_from_the_grade_and_are_called_simulated(told):
    folder, sentences = told
    assert sum("SIMULATED" in sentence for sentence in sentences) == 1
    tables = [(folder / site / "patients.csv").read_text(encoding="utf-8") for site in SITES]
    rows = [row for table in tables for row in csv.DictReader(table.splitlines())]
    assert len(rows) == 240
    stated = [f"Final diagnosis: {row['grade']}." in row["expert_opinion"] for row in rows]
    assert 0.8 < np.mean(stated) < 0.97, "the study's expert states nine in ten"
    assert not any("Final diagnosis" in row["patient_opinion"] for row in rows)
    well = Counter(row["grade"] for row in rows if "I read the newspaper without trouble." in row["patient_opinion"])
    assert well["0"] > 2 * well["4"]
    names, grades = ["retina-0001", "retina-0002"], [0, 4]
    both = opinions(names, grades, ["north", "west"])
    assert opinions(names[1:], grades[1:], ["west"]) == both[1:], "a photograph's texts do not depend on the others"


def test_every_hospital_passes_the_check_by_both_commands(told):
    folder, sentences = told
    for sentence in sentences[-2:]:
        study, data = study_of(sentence)
        assert data == folder
        for name in study.sites:
            findings, problems = check(load_site(data / name / "site.toml"), study, lambda *_: None)
            assert problems == []
            assert findings.cohort.excluded == {}
            assert all(found.present.all() and found.faults == {} for found in findings.modalities)
    withheld = {role.role: role.withheld for role in findings.roles}
    assert withheld["internal"] == "", "by the official split the smallest hospital has figures too"


def test_the_printed_command_runs_by_the_official_split(told, tmp_path):
    study, data = study_of(told[1][-1], ONE_ROUND)
    run = run_federation(study, data, tmp_path, {})
    assert run.failures == []
    rows = [row for row in run.results.metrics if row.model == study.primary and row.cohort == "internal"]
    assert any(row.estimate is not None and row.n == 100 for row in rows)
