"""One round of each published study, from invention to figures, over three hospitals of a dozen patients."""

import pytest

from shared.cohorts import folds
from shared.outcomes.classes import Classes
from shared.study_file import load_study
from tests.simulations.test_catalog import PUBLISHED


def even(name: str) -> list[str]:
    """Overrides under which a dozen patients have every outcome, one row each."""
    study = load_study(name)
    assert study.simulation
    overrides = ["simulation.prevalence_at={}", "simulation.prevalence=0.5"]
    overrides += ["simulation.rows.mean=1"] if study.unit.row else []
    if isinstance(study.outcome, Classes):
        overrides.append(f"simulation.shares=[{', '.join('1' for _ in study.outcome.classes)}]")
    return overrides


FAST = ("lscc-staging", "ggn-malignancy", "psma-lymph-node")  # the others take too long together
CASES = [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in PUBLISHED]


@pytest.mark.parametrize("name", CASES)
def test_one_round_from_invention_to_figures(name, federation):
    run = federation(name, overrides=even(name))
    assert run.failures == []
    assert {record.run.fold for record in run.records} == {fold.name for fold in folds(run.study)}
    figures = [row for row in run.results.metrics if row.model == run.study.primary and row.cohort == "external"]
    assert any(row.estimate is not None for row in figures)
    assert not run.study.private or all(run.ledgers[site] for site in folds(run.study)[0].train)
