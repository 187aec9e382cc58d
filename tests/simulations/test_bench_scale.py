"""The benchmark of many hospitals: light hospitals answer a real server, and its memory is read."""

from pathlib import Path

import pytest

from simulations.bench.scale.run import Case, measured
from simulations.bench.scale.study import NETWORKS, scale_study


@pytest.mark.parametrize("megabytes", NETWORKS)
def test_an_update_is_as_large_as_it_is_called(megabytes: int) -> None:
    from shared.model import MultimodalModel

    model = MultimodalModel(scale_study(3, 1, NETWORKS[megabytes]))
    size = sum(value.numel() * 4 for value in model.parameters()) / 1e6
    assert 1.0 <= size / megabytes <= 1.05


@pytest.mark.slow
def test_light_hospitals_answer_every_round(tmp_path: Path) -> None:
    seen = measured(Case(hospitals=3, light=True, rounds=2), tmp_path)
    assert seen.answered == (3, 3)
    assert seen.failures == 0
    assert 50e6 < seen.superlink < 1e9
    assert 50e6 < seen.server_app < 1e9
