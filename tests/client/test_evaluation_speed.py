"""A whole study's validation is fast and small: 7 models, 3 arms, 5 hospitals of 1,000 patients, 2,000 bootstraps."""

import resource
import subprocess
import sys
import time

import numpy as np
import pytest

from client.evaluation import Ward, model_figures
from client.risks import with_risks
from client.site import Limits
from shared.study_file import load_study

STUDY = load_study("lscc-staging")


def validate(seed: int, patients: int) -> int:
    """All figures of one arm at one hospital; how many models told their risks."""
    chance = np.random.default_rng(seed)
    outcome = (chance.random(patients) < 0.3).astype(np.float64)
    scores = {model: (chance.normal(size=patients) + outcome)[:, None] for model in STUDY.models}
    ward = Ward(STUDY.outcome, "external", outcome[:, None], np.arange(patients), Limits(max_epsilon=8.0))
    told = [own for model, values in scores.items() for own in model_figures(model, ward, values, 0.0)]
    return sum(own.risk is not None for own in with_risks(told, ward, scores, STUDY.primary))


def measure() -> tuple[float, float]:
    """Seconds and the largest memory in GiB, of 3 arms at 5 hospitals."""
    start = time.perf_counter()
    assert sum(validate(seed, 1000) for seed in range(15)) == 15 * len(STUDY.models) == 105
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@pytest.mark.slow
def test_a_study_is_validated_within_seconds() -> None:
    """In a process of its own, so that the memory is that of the validation."""
    program = "from tests.client.test_evaluation_speed import measure; print(*measure())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, gigabytes = map(float, done.stdout.split())
    print(f"{seconds:.1f} s, {gigabytes:.2f} GiB")
    assert seconds < 20
    assert gigabytes < 1
