"""The main job: what fusing must gain on invented hospitals whose truth is known."""

from pathlib import Path

import numpy as np
import pytest

from server.record import RunRecord, load_records
from server.validation.rows import by_cohort
from server.validation.summary import within_hospital_auc
from shared.study_file import load_study
from simulations.arms import Hooks, open_consortium, run_arms
from simulations.hospitals import invent, oracle
from simulations.site_file import write_site_file

SEEDS = (101, 102, 103, 104, 105)
SINGLES = ("clinical", "ct", "laryngoscopy")


def test_the_oracle_of_the_fused_model_is_well_above_every_single_modality():
    study = load_study("lscc-staging")
    best = oracle(study)
    assert best[study.primary] >= max(best[name] for name in SINGLES) + 0.05


def pooled_aucs(seed: int, folder: Path) -> dict[tuple[str, str], float | None]:
    """AUC by (model, cohort) of the pooled arm without privacy, over one consortium of 450 invented patients."""
    study = load_study("lscc-staging", [f"seed={seed}", 'arms.run=["pooled"]', 'privacy={mechanism="none"}'])
    invent(study, folder / "data")
    for site in study.sites:
        write_site_file(folder / "data" / site, site)
    run_arms(study, open_consortium(study, folder / "data", folder / "state"), folder, Hooks())
    (record,) = load_records(folder)
    return {
        (model, cohort): _auc(record, model, cohort) for model in study.models for cohort in ("internal", "external")
    }


def _auc(record: RunRecord, model: str, cohort: str) -> float | None:
    return within_hospital_auc([figures for _, figures in by_cohort(record, model, cohort)]).value


@pytest.mark.slow
def test_pooled_the_fused_model_beats_every_single_modality_over_five_seeds(tmp_path, capsys):
    found = [pooled_aucs(seed, tmp_path / str(seed)) for seed in SEEDS]
    means = {key: float(np.mean([aucs[key] for aucs in found])) for key in found[0]}
    with capsys.disabled():
        for (model, cohort), value in means.items():
            print(f"\n{cohort:9} {model:26} {value:.3f}", end="")
    for cohort in ("internal", "external"):
        for single in SINGLES:
            assert means["clinical+ct+laryngoscopy", cohort] > means[single, cohort]
