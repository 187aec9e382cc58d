"""The benchmark compares like with like: every variant makes the same step, and every encoder is in the table."""

import csv
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from shared.encoders import ENCODERS
from shared.fusions import FUSIONS
from simulations.bench.cases import Case, all_cases, only
from simulations.bench.measure import measure
from simulations.bench.run import run_bench
from simulations.bench.steps import VARIANTS, faults
from tests.encoder_samples import OPTIONS, section


def small(case: Case) -> Case:
    """The case with the smallest section of its encoder."""
    if case.stage == "fusion":
        return case
    (name, spec), *_ = case.study.modalities.items()
    options = OPTIONS.get((spec.kind, spec.encoder), [{}])[0]
    return Case(**{**vars(case), "study": only(case.study, name, section(spec.kind, spec.encoder, **options))})


CASES = [small(case) for case in all_cases(patients=3)]
LIGHT = [case for case in CASES if "network" not in case.name]


def test_every_encoder_and_fusion_is_measured() -> None:
    names = {case.name for case in CASES}
    assert {f"{kind} {name}" for kind, encoders in ENCODERS.items() for name in encoders} <= names
    assert {name.split(",")[0].split()[1] for name in names if name.startswith("fusion")} == set(FUSIONS)


SLOW = [pytest.param(case, id=case.name, marks=[pytest.mark.slow] * (case not in LIGHT)) for case in CASES]


@pytest.mark.parametrize("case", SLOW)
def test_all_variants_compute_the_same_sum(case: Case) -> None:
    """With a clip that never binds also the plain step's; hooks cannot see a patient behind his pictures, nor a layer's
    own parameter or a recurrent layer."""
    expected, encoder = dict.fromkeys(VARIANTS, ""), case.name.split()[1].rstrip(",")
    if case.name in ("bag cnn", "bag network"):
        expected["hooks"] = "fails: RuntimeError"
    if encoder in ("late", "cooperative"):
        expected["hooks"] = "fails: AttributeError"
    if encoder in ("bilstm", "gru"):
        expected["hooks"] = "fails: ValueError"
    assert faults(case) == expected


def test_a_variant_with_another_sum_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = VARIANTS["hooks"]
    monkeypatch.setitem(
        VARIANTS,
        "hooks",
        lambda case, model, plan: whole(case, model, type(plan)(**{**vars(plan), "clip": 2 * plan.clip})),
    )
    row = measure(LIGHT[0], repeats=1)
    assert row.faults == {"hooks": "wrong by 100.0%"}
    assert set(row.ratios) == {"plain", "other"}
    assert [verdict.against for verdict in row.verdicts] == ["plain"]


def test_the_results_are_written(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    console = Console(width=112, record=True)
    folder = run_bench(tmp_path, 1, console, LIGHT[:6])
    found = json.loads((folder / "bench.json").read_text())
    assert [row["name"] for row in found["rows"]] == [case.name for case in LIGHT[:6]]
    with (folder / "bench.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert all(float(row["ms_private"]) > 0 and float(row["ratio_against_plain"]) > 0 for row in table)
    assert all(None not in row for row in table)
    printed = console.export_text()
    assert all(case.name in printed for case in LIGHT[:6])
    assert "bars met" in printed
    assert torch.get_num_threads() == threads
