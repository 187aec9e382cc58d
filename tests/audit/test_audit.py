"""The audit calls correct training private and each broken one not: what it catches is proven by breaking the code."""

import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor

import client.training
from client.training import CryptographicOptimizer
from shared.batch import Batch
from shared.command_line import FAILED
from shared.errors import StudyError
from shared.privacy.accounting import gaussian_mu
from shared.privacy.mechanism import StagePlan, plan_privacy
from shared.study import Study
from shared.study_file import load_study
from simulations.__main__ import audit, parser
from simulations.audit.canaries import apart, candidates
from simulations.audit.figure import write_figure
from simulations.audit.findings import Finding, violations
from simulations.audit.inversion import inversion
from simulations.audit.one_run import one_run
from simulations.audit.release import Target, noiseless, target_of, with_steps
from simulations.audit.single_step import Stakes, single_step, worst_pair
from simulations.audit.study_audit import run_audit
from simulations.audit.table import findings_table
from tests.small import PATIENTS, SITES, hospital, random_batch, small_study

DELTA, TRIALS, CANARIES = 1e-4, 500, 200
STAKES = Stakes(DELTA, 1e-5)  # so rarely wrong that no test fails by chance
RUN_STAKES = Stakes(DELTA, 0.01)  # an alarm needs some 160 right guesses, of which correct training allows 120
STAGES = ["encoders", "fusion"]


class NoNoise(CryptographicOptimizer):
    def __init__(self, *given: object, noise_multiplier: float, **more: object) -> None:
        super().__init__(*given, noise_multiplier=0.0, **more)


class HalfTheNoise(CryptographicOptimizer):
    def __init__(self, *given: object, noise_multiplier: float, **more: object) -> None:
        super().__init__(*given, noise_multiplier=noise_multiplier / 2, **more)


class NoClipping(CryptographicOptimizer):
    def clip_and_accumulate(self) -> None:
        for parameter in self.params:
            parameter.summed_grad = parameter.grad_sample.sum(dim=0)


class WeightsByBatch(CryptographicOptimizer):
    """Divides by the patients who are there, in the place of the declared number."""

    def scale_grad(self) -> None:
        there = torch.stack([samples.flatten(1).any(dim=1) for samples in self.grad_samples]).any(dim=0)
        for parameter in self.params:
            parameter.grad /= max(int(there.sum()), 1)


def counted_twice(which: int) -> Callable[..., Tensor]:
    """Per-patient gradients in which one patient has two rows, each clipped by itself."""
    real = client.training.patient_gradients

    def broken(*given: object) -> Tensor:
        gradients: Tensor = real(*given)  # type: ignore[arg-type]
        row = which % max(len(gradients), 1)
        return torch.cat([gradients, gradients[row : row + 1]])

    return broken


BREAKS: dict[str, tuple[str, object]] = {
    "no noise": ("CryptographicOptimizer", NoNoise),
    "half the noise": ("CryptographicOptimizer", HalfTheNoise),
    "no clipping": ("CryptographicOptimizer", NoClipping),
    "weights by batch": ("CryptographicOptimizer", WeightsByBatch),
    "one of the hospital's patients counted twice": ("patient_gradients", counted_twice(5)),
    "the last patient counted twice": ("patient_gradients", counted_twice(-1)),
}


def broken(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    name, instead = BREAKS[fault]
    monkeypatch.setattr(client.training, name, instead)
    if fault == "no clipping":
        monkeypatch.setattr(client.training, "clip_patients", lambda gradients, clip: None)


def target(study: Study, stage: str, patients: int = 20) -> Target:
    return target_of(study, stage, "north", random_batch(study, patients))


def step_plan(study: Study, stage: str, mu: float) -> StagePlan:
    plan = plan_privacy(study)
    assert plan is not None
    return dataclasses.replace(plan.stages[stage], rounds=1, steps=1, noise_multiplier=1 / mu)  # type: ignore[index]


def one_step(
    study: Study, stage: str, seed: int = 1, mu: float = 1.0, trials: int = TRIALS, stakes: Stakes = STAKES
) -> Finding:
    """The audit of a step whose declared epsilon is that of ``mu``: 3.8 at mu 1."""
    attacked, plan, rng = target(study, stage), step_plan(study, stage, mu), np.random.default_rng(seed)
    return single_step(attacked, worst_pair(attacked, plan, rng), plan, trials, stakes, rng)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_correct_training_is_not_called_violated(study: Study, seed: int) -> None:
    found = one_step(study, STAGES[seed % 2], seed)
    assert found.verdict == "holds"
    assert found.declared == pytest.approx(3.8, abs=0.1)
    assert 0 < found.value < found.declared  # the attack works
    assert found.noticed is not None
    assert found.declared < found.noticed < 2 * found.declared


@pytest.mark.parametrize("fault", BREAKS)
def test_each_fault_is_caught_in_one_step(study: Study, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, fault)
    found = one_step(study, "encoders")
    assert found.verdict == "violated", found
    assert found.declared is not None
    assert found.value > found.declared
    assert found.words.startswith("VIOLATED")
    assert found.how


@pytest.mark.parametrize("fault", ["half the noise", "weights by batch"])
def test_faults_of_the_fusion_are_caught_too(study: Study, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, fault)
    assert one_step(study, "fusion").verdict == "violated"


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", [None, *BREAKS])
def test_the_main_study_at_epsilon_one(stage: str, fault: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault:
        broken(monkeypatch, fault)
    found = one_step(load_study("lscc-staging"), stage, 1, gaussian_mu(1.0, DELTA), 4000, Stakes(DELTA, 1e-4))
    assert found.declared == pytest.approx(1.0)
    assert found.verdict == ("violated" if fault else "holds")


def stage_plan(study: Study, epsilon: float) -> StagePlan:
    plan = plan_privacy(study)
    assert plan is not None
    own = plan.stages["encoders"]
    return dataclasses.replace(own, noise_multiplier=math.sqrt(own.releases) / gaussian_mu(epsilon, DELTA))


@pytest.mark.parametrize("seed", range(3))
def test_one_run_of_correct_training_is_not_called_violated(study: Study, seed: int) -> None:
    attacked = target(study, "encoders")
    found = one_run(attacked, stage_plan(study, 1.0), CANARIES, RUN_STAKES, np.random.default_rng(seed))
    assert found.verdict == "holds"
    assert found.declared == pytest.approx(1.0)
    assert found.trials == CANARIES


def test_one_run_catches_that_the_noise_is_missing(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "no noise")
    attacked = target(study, "encoders")
    found = one_run(attacked, stage_plan(study, 1.0), CANARIES, RUN_STAKES, np.random.default_rng(1))
    assert found.verdict == "violated"
    assert found.value > 0.9 * found.ceiling > 1  # type: ignore[operator]


def test_without_privacy_every_canary_is_found_and_nothing_is_called_violated(study: Study) -> None:
    attacked, rng = target(study, "encoders"), np.random.default_rng(1)
    pair = worst_pair(attacked, step_plan(study, "encoders", 1.0), rng)
    for found in (
        single_step(attacked, pair, None, 50, STAKES, rng),
        one_run(attacked, None, CANARIES, RUN_STAKES, rng),
    ):
        assert (found.verdict, found.declared, found.private) == ("unprotected", None, False)
        assert found.value > 0.8 * found.ceiling  # type: ignore[operator]


def test_canaries_move_the_sum_by_one_clip_and_do_not_hide_each_other(study: Study) -> None:
    single, plan = with_steps(target(study, "encoders"), 1), step_plan(study, "encoders", 1.0)
    known = candidates(single, plan, np.random.default_rng(1))
    lengths = np.linalg.norm(known.responses, axis=1)
    assert lengths.max() == pytest.approx(1.0, abs=1e-3)
    held = apart(known, 1.0)
    numbers = sum(int(torch.tensor(spec.shape).prod()) for spec in study.modalities.values())
    assert len(held.patients) >= numbers - 1
    cosines = held.responses @ held.responses.T
    assert np.abs(cosines - np.diag(np.diag(cosines))).max() < 0.05


def test_a_patient_is_read_off_his_own_update_unless_privacy_hides_him(study: Study) -> None:
    attacked, plan = target(study, "encoders"), step_plan(study, "encoders", 0.2)
    open_one, open_all = inversion(attacked, None, np.random.default_rng(1))
    hidden_one, hidden_all = inversion(attacked, plan, np.random.default_rng(1))
    assert open_one.value > 0.999
    assert open_one.verdict == "leaks"
    assert abs(open_all.value) < 0.7
    assert max(abs(hidden_one.value), abs(hidden_all.value)) < 0.5
    assert (hidden_one.verdict, hidden_one.private) == ("nothing found", True)


def test_what_is_audited_is_the_training_that_hospitals_run(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release is the sum of the real optimizer's clipped gradients; patients who are left out count nothing."""
    attacked = with_steps(target(study, "encoders"), 1)
    exact = noiseless(step_plan(study, "encoders", 1.0))
    empty = Batch(
        attacked.patients.inputs,
        {name: torch.zeros_like(mask) for name, mask in attacked.patients.present.items()},
        attacked.patients.outcome,
    )
    assert not attacked.release(empty, exact).any()
    alone = [attacked.release(attacked.patients.pick(torch.tensor([n])), exact) for n in range(len(attacked.patients))]
    np.testing.assert_allclose(attacked.release(attacked.patients, exact), np.sum(alone, axis=0), atol=1e-3)
    monkeypatch.setattr(client.training, "CryptographicOptimizer", None)
    with pytest.raises(TypeError):
        attacked.release(attacked.patients, exact)


def test_help_answers_without_torch() -> None:
    program = (
        "import runpy, sys; sys.argv = ['simulations', 'audit', '--help']\n"
        "try: runpy.run_module('simulations', run_name='__main__')\n"
        "except SystemExit as done: assert not done.code\n"
        "print(*({'torch', 'numpy', 'matplotlib'} & set(sys.modules)), 'ready')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--canaries" in done.stdout
    assert done.stdout.splitlines()[-1].strip() == "ready"


def test_all_of_a_study_is_audited_and_written(tmp_path: Path) -> None:
    study = small_study(tmp_path, "training.rounds=2")
    for name in SITES:
        hospital(tmp_path / "hospitals", name, open_to_all=True)
    console = Console(width=112, record=True, file=StringIO())
    folder, findings = run_audit(study, tmp_path / "hospitals", tmp_path / "results", (20, 20), console)
    console.print(findings_table(findings))
    assert not violations(findings)
    assert {(f.attack, f.private) for f in findings} == {
        (attack, private)
        for attack in ("canary, one step", "canaries, one run", "gradient inversion", "membership")
        for private in (True, False)
    }
    assert "No violation found" in console.export_text(clear=False)
    assert max(map(len, console.export_text().splitlines())) <= 112
    kept = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    assert [line["attack"] for line in kept["findings"]] == [finding.attack for finding in findings]
    table = (folder / "audit.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == len(findings) + 1
    drawn = (folder / "figures" / "audit.svg").read_bytes()
    write_figure(findings, tmp_path)
    assert drawn == (tmp_path / "figures" / "audit.svg").read_bytes()
    written = "".join(path.read_text(encoding="utf-8") for path in folder.glob("audit.*"))
    assert not any(f"{site}-{number}" in written for site in SITES for number in range(PATIENTS))


def test_an_audit_of_broken_training_ends_with_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hospitals refuse to train with it by their own probes; what the canaries showed is written all the same."""
    broken(monkeypatch, "no noise")
    small_study(tmp_path)
    for name in SITES:
        hospital(tmp_path / "hospitals", name, open_to_all=True)
    where = ["--data", str(tmp_path / "hospitals"), "--results", str(tmp_path / "results")]
    given = parser().parse_args(["audit", str(tmp_path / "small.toml"), *where, "--canaries", "20", "--trials", "200"])
    assert audit(given) == FAILED
    assert "VIOLATED: training loses more than it declares" in capsys.readouterr().out


def test_a_study_without_privacy_has_nothing_to_audit(tmp_path: Path) -> None:
    study = small_study(tmp_path).without_privacy()
    with pytest.raises(StudyError, match="no guarantee to audit"):
        run_audit(study, tmp_path, tmp_path, (20, 20), Console(file=StringIO()))
