"""What stands for a missing cell: zeros, a declared value, or a forest's that was grown on training patients alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from client.archive import Archive
from client.imputation import imputed
from client.readers.table import read_row
from shared.batch import Batch
from shared.cohorts import folds
from shared.errors import StudyError
from shared.modalities.tabular import Tabular
from shared.study import Study
from simulations.comparators.run import of_role
from tests.small import agent_of, ask_figures, ask_round, hospital, small_study

OPEN = 'privacy={mechanism="none"}'
FOREST = (OPEN, 'modalities.blood.imputation="forest"', "modalities.blood.numeric.crp.fill=50.0")
FILLED = (*FOREST, "modalities.blood.numeric.hb.fill=12.0")


def tabular(imputation: str, **more: object) -> Tabular:
    filled = {} if imputation == "indicator" else {"fill": 25}
    word = {} if imputation == "indicator" else {"fill": "m"}
    return Tabular.model_validate_json(
        json.dumps(
            {
                "kind": "tabular",
                "numeric": {"age": {"range": [0, 100], **filled}},
                "categorical": {"sex": {"values": ["f", "m"], **word}},
                "imputation": imputation,
                **more,
            }
        )
    )


def test_a_declared_value_is_scaled_like_one_that_was_read() -> None:
    row = {"age": "", "sex": "f"}
    assert read_row(tabular("indicator"), row).tensor.tolist() == [0, 1, 0, 1, 0]
    assert read_row(tabular("declared"), row).tensor.tolist() == [-0.5, 1, 0, 1, 0]
    assert read_row(tabular("declared"), {"age": "25", "sex": "?"}).tensor.tolist() == [-0.5, 0, 1, 0, 1]
    assert read_row(tabular("declared", indicators=False), {"age": "75", "sex": ""}).tensor.tolist() == [0.5, 0, 1]
    assert read_row(tabular("declared"), {"age": "", "sex": ""}).tensor is None


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ('modalities.blood.imputation="declared"', "needs a fill of every column, not of crp, hb"),
        ("modalities.blood.numeric.crp.fill=900.0", "fill must lie in the range"),
        ('modalities.clinical.categorical.sex.fill="x"', "fill must be one of the values"),
        ("modalities.blood.numeric.crp.fill=90.0", 'used with imputation = "declared"'),
        ('modalities.blood={kind="tabular",indicators=false,imputation="forest",numeric.hb.range=[0,9]}', "keep them"),
        ('modalities.blood.imputation="forest"', "fitted on patients"),
    ],
)
def test_wrong_keys_are_refused(override: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=rule):
        small_study(tmp_path, override)


def test_an_external_hospital_needs_declared_values(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a fill is missing of hb"):
        small_study(tmp_path, *FOREST)
    inside = 'cohorts={scheme="site-holdout",train=["north","west","south"],internal=0.25}'
    assert small_study(tmp_path, *FOREST, inside)


def bound(study: Study, units: int = 200) -> tuple[Batch, np.ndarray]:
    """Units whose two blood values are equal; a third lacks the first. Also the values before."""
    chance = np.random.default_rng(1)
    truth = np.repeat(chance.uniform(-1, 1, (units, 1)), 2, axis=1)
    missing = np.zeros((units, 2))
    missing[::3, 0] = 1
    table = np.concatenate([np.where(missing == 1, 0.0, truth), missing], axis=1)
    there = torch.ones(units, dtype=torch.bool)
    there[1] = False
    table[1] = 0
    inputs = {"clinical": torch.zeros(units, 5), "blood": torch.from_numpy(table).to(torch.float32)}
    return Batch(
        inputs, {"clinical": torch.ones(units, dtype=torch.bool), "blood": there}, torch.zeros(units, 1)
    ), truth


def test_the_forest_finds_what_the_other_column_tells(tmp_path: Path) -> None:
    study = small_study(tmp_path, *FILLED)
    batch, truth = bound(study)
    roles = ["train" if number % 2 else "internal" for number in range(200)]
    found = imputed(study, batch, roles).inputs["blood"].numpy()
    lacked = np.arange(0, 200, 3)
    assert np.abs(found[lacked, 0] - truth[lacked, 0]).mean() < 0.1
    before = batch.inputs["blood"].numpy()
    kept = np.setdiff1d(np.arange(200), lacked)
    np.testing.assert_array_equal(found[kept], before[kept])
    np.testing.assert_array_equal(found[:, 2:], before[:, 2:])
    assert not found[1].any()  # has no blood test at all, and none is made up
    np.testing.assert_array_equal(imputed(study, batch, roles).inputs["blood"].numpy(), found)


def test_it_learns_from_training_patients_alone(tmp_path: Path) -> None:
    """Whatever the internal patients' values are, training patients are filled with the same."""
    study = small_study(tmp_path, *FILLED)
    batch, _ = bound(study)
    roles = ["train" if number % 2 else "internal" for number in range(200)]
    other = batch.inputs["blood"].clone()
    other[::2, 1] = -other[::2, 1]
    changed = Batch({**batch.inputs, "blood": other}, batch.present, batch.outcome)
    first, second = (imputed(study, one, roles).inputs["blood"][1::2] for one in (batch, changed))
    assert torch.equal(first, second)


def test_without_training_patients_what_was_declared_stands(tmp_path: Path) -> None:
    study = small_study(tmp_path, *FILLED)
    batch, _ = bound(study)
    assert torch.equal(imputed(study, batch, ["external"] * 200).inputs["blood"], batch.inputs["blood"])
    plain = small_study(tmp_path, OPEN)
    assert imputed(plain, batch, ["train"] * 200) is batch


def test_a_column_that_nobody_here_has_keeps_its_declared_value(tmp_path: Path) -> None:
    study = small_study(tmp_path, *FILLED)
    batch, _ = bound(study)
    batch.inputs["blood"][:, 0], batch.inputs["blood"][:, 2] = -0.5, 1.0
    found = imputed(study, batch, ["train"] * 200).inputs["blood"]
    assert torch.equal(found, batch.inputs["blood"])


def test_a_hospital_trains_and_validates_on_what_the_forest_filled(tmp_path: Path) -> None:
    study = small_study(tmp_path, *FILLED)
    site = hospital(tmp_path, open_to_all=True, patients=120)
    table = (site.data / "patients.csv").read_text().splitlines()
    gaps = [line.rsplit(",", 1)[0] + "," if number % 5 == 1 else line for number, line in enumerate(table)]
    (site.data / "patients.csv").write_text("\n".join(gaps))
    agent = agent_of(site)
    forest = agent.answer(ask_round(study))
    assert forest.header.kind == "trained"
    declared = small_study(tmp_path, *FILLED, 'modalities.blood.imputation="declared"')
    plain = agent.answer(ask_round(declared))
    name = next(key for key in plain.arrays if key.startswith("encoders.blood") and key.endswith("weight"))
    assert not np.array_equal(plain.arrays[name], forest.arrays[name])
    assert agent.answer(ask_figures(study)).header.kind == "evaluated"
    archive = Archive(site)
    both = of_role(archive, study, folds(study)[0], "train").inputs["blood"]
    assert (both[both[:, 3] == 1, 1] != tabular_fill()).any()


def tabular_fill() -> float:
    return 2 * 12.0 / 20 - 1
