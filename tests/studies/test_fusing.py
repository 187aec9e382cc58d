"""Fusing helps where the truth says that it helps, and not where one modality carries everything."""

from pathlib import Path

import pytest

from server.record import load_records
from server.validation.rows import by_cohort
from server.validation.summary import within_hospital_auc
from shared.study_file import load_study
from simulations.arms import Hooks, open_consortium, run_arms
from simulations.hospitals import invent, oracle
from simulations.site_file import write_site_file

TABLES = ("blood", "urine", "history")
STUDY = """
name = "fusing"
title = "Three tables of known truth"
seed = 5

[outcome]
kind = "binary"
column = "ill"
positive = ["yes"]
negative = ["no"]
predicted_at = "admission"

[sites]
north = { patients = 1200 }
west = { patients = 1200 }

[cohorts]
scheme = "site-holdout"
train = ["north", "west"]
internal = 0.6

[arms]
run = ["federated"]

[training]
rounds = 8
steps = 8

[privacy]
mechanism = "none"

[evaluation]
threshold = { rule = "youden", from = "train" }
primary = "blood+urine+history"

[simulation]
generator = "latent"
"""
COLUMNS = "".join(
    f'[modalities.{name}]\nkind = "tabular"\nencoder = "linear"\n'
    f"numeric.{name}_a = {{ range = [0, 10] }}\nnumeric.{name}_b = {{ range = [0, 10] }}\n\n"
    for name in TABLES
)
EVEN, ONE = (0.9, 0.9, 0.9), (2.0, 0.001, 0.001)  # separations of the three tables


def reached(folder: Path, separations: tuple[float, ...], fusion: str) -> tuple[dict[str, float], dict[str, float]]:
    """By model the oracle's AUC, and the federated one of 1,440 patients that nobody was trained on."""
    told = ", ".join(f"{name} = {value}" for name, value in zip(TABLES, separations, strict=True))
    (folder / "fusing.toml").write_text(f"{STUDY}separation = {{ {told} }}\n\n{COLUMNS}")
    study = load_study(folder / "fusing.toml", [f'fusion.kind="{fusion}"'])
    invent(study, folder / "data")
    for site in study.sites:
        write_site_file(folder / "data" / site, site)
    run_arms(study, open_consortium(study, folder / "data", folder / "state"), folder, Hooks())
    (record,) = load_records(folder)
    found = {}
    for model in study.models:
        value = within_hospital_auc([own for _, own in by_cohort(record, model, "internal")]).value
        assert value is not None
        found[model] = value
    return oracle(study), found


def best_part(aucs: dict[str, float], model: str) -> float:
    """The best of a model's modalities alone."""
    return max(aucs[name] for name in model.split("+"))


FUSIONS = ["concat", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("gated", "self-attention", "late"))]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_where_every_modality_tells_something_each_fusion_gains_what_the_truth_allows(fusion, tmp_path):
    truth, found = reached(tmp_path, EVEN, fusion)
    for model in truth:
        if "+" in model:
            gain = truth[model] - best_part(truth, model)
            assert gain > 0.07, "the consortium is made so"
            assert found[model] - best_part(found, model) > gain / 2
            assert found[model] < truth[model] + 0.03, "nobody knows more than the truth"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_where_one_modality_carries_everything_fusing_neither_helps_nor_harms(fusion, tmp_path):
    truth, found = reached(tmp_path, ONE, fusion)
    assert truth["blood+urine+history"] - truth["blood"] < 0.001, "the consortium is made so"
    for model in ("blood+urine", "blood+history", "blood+urine+history"):
        assert abs(found[model] - found["blood"]) < 0.01
    assert found["urine+history"] < 0.56
