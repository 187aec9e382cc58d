"""The report warns where a model's released AUC is too good to be true, and names what the model reads."""

import csv

import numpy as np

from server.record import load_records
from server.validation.assemble import assemble
from server.validation.suspicion import suspicion_warnings
from simulations.arms import Hooks, open_consortium, run_arms
from tests.server.test_validation import STUDY, metric_rows, record
from tests.small import SITES, hospital, small_study


def warned(best: str, gap: float, role: str = "external") -> list[str]:
    """Warnings where one model separates 300 patients by ``gap`` standard deviations, and the others do not."""
    chance = np.random.default_rng(1)
    outcome = (np.arange(300) % 2).astype(np.float64)
    scores = {
        model: (gap if set(best.split("+")) <= set(model.split("+")) else 0.5) * outcome + chance.normal(size=300)
        for model in STUDY.models
    }
    return list(suspicion_warnings(STUDY, metric_rows(STUDY, record({"east": (outcome, scores)}, role))))


def test_only_the_smallest_model_is_told_with_what_it_reads():
    (told,) = warned("clinical", 4.5)
    assert told.startswith("suspiciously good: the AUC of clinical lies above 0.98 with its whole interval")
    assert told.endswith(f"It reads clinical: {', '.join(STUDY.modalities['clinical'].cells)}")
    (told,) = warned("clinical+ct", 4.5)
    assert "clinical: " in told
    assert "ct: " in told


def test_a_good_model_and_its_training_patients_are_not_told():
    assert warned("clinical", 2.2) == []
    assert warned("clinical", 4.5, "train") == []


def test_a_run_on_a_column_that_knows_the_answer_is_told(tmp_path):
    study = small_study(
        tmp_path,
        *('privacy={mechanism="none"}', 'arms.run=["federated"]', "training.rounds=10"),
        *(f"sites.{name}.patients=400" for name in SITES),
    )
    for name in SITES:
        table = hospital(tmp_path / "data", name, open_to_all=True, patients=400).data / "patients.csv"
        rows = list(csv.DictReader(table.read_text().splitlines()))
        for number, row in enumerate(rows):  # but for one in a hundred
            row["crp"] = str(150 if (row["ill"] == "yes") != (number % 100 == 0) else 20)
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    consortium = open_consortium(study, tmp_path / "data", tmp_path / "state")
    run_arms(study, consortium, tmp_path / "run", Hooks(), twins=False)
    told = assemble(study, load_records(tmp_path / "run"), "in-process", {}, 1.0).warnings
    (found,) = [sentence for sentence in told if sentence.startswith("suspiciously good")]
    assert "AUC of blood lies" in found
    assert found.endswith("It reads blood: crp, hb")
