"""The report warns where a model's released AUC is too good to be true, and names what the model reads."""

import numpy as np

from server.validation.assemble import assemble
from server.validation.suspicion import suspicion_warnings
from shared.study_file import load_study
from simulations.arms import Hooks, open_consortium, run_arms
from simulations.hospitals import invent
from simulations.site_file import write_site_file
from tests.server.test_validation import STUDY, metric_rows, record


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


def test_a_run_with_the_experts_opinion_is_told(tmp_path):
    """The leak of the study, in every text; without privacy, as little noise hides it from 96 patients."""
    study = load_study(
        "retina-severity",
        [
            *('privacy={mechanism="none"}', 'arms.run=["federated"]', "simulation.leak.expert=1.0"),
            *('fusion.combinations="primary"', "training.rounds=15"),
            *(f"sites.{name}.patients=120" for name in ("north", "west", "south")),
        ],
    )
    invent(study, tmp_path / "data")
    for site in study.sites:
        write_site_file(tmp_path / "data" / site, site)
    consortium = open_consortium(study, tmp_path / "data", tmp_path / "state")
    run_arms(study, consortium, tmp_path / "run", Hooks(), twins=False)
    from server.record import load_records

    told = assemble(study, load_records(tmp_path / "run"), "in-process", {}, 1.0).warnings
    found = [sentence for sentence in told if sentence.startswith("suspiciously good")]
    assert len(found) == 1
    assert found[0].endswith("It reads expert: expert_opinion")
