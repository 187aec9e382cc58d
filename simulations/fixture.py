"""A pytest fixture that runs a small federation of any study in-process; ``pytest_plugins = ["simulations.fixture"]``.

def test_the_others_go_on(federation):
    run = federation("lscc-staging", sites=3, rounds=1, faults={"west": Fault("late", on="evaluate")})
    assert run.failures == [("west", "no answer within 0.5 s")]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulations.fault import Fault

__all__ = ["Fault", "federation"]

if TYPE_CHECKING:
    from simulations.federation import Federation


@pytest.fixture
def federation(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Federation]:
    """``federation(study, sites=3, rounds=1, patients=12, overrides=(), faults={})`` gives a ``Federation``."""

    def run(
        study: str | Path,
        *,
        sites: int = 3,
        rounds: int = 1,
        patients: int = 12,
        overrides: Sequence[str] = (),
        faults: Mapping[str, Fault] | None = None,
    ) -> Federation:
        from shared.study_file import load_study
        from simulations.federation import invented_hospitals, run_federation, shrunk

        small = shrunk(load_study(study, overrides), sites, rounds, patients)
        data = invented_hospitals(small, tmp_path_factory.getbasetemp())
        return run_federation(small, data, tmp_path_factory.mktemp("federation"), faults or {})

    return run
