"""One round of each published study, from invention to figures, over three hospitals of a dozen patients."""

import pytest

from shared.cohorts import folds
from shared.outcomes.classes import Classes
from shared.schemes import SiteHoldout
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
    if isinstance(study.cohorts, SiteHoldout) and not study.cohorts.external:
        overrides.append("cohorts.internal=0.5")  # there are no figures but of these
    return overrides


@pytest.mark.parametrize("name", PUBLISHED)
def test_one_round_from_invention_to_figures(name, federation):
    lacking = any(site.lacks for site in load_study(name).sites.values())  # then one hospital more has the modality
    run = federation(name, sites=4 if lacking else 3, overrides=even(name))
    assert run.failures == []
    assert {record.run.fold for record in run.records} == {fold.name for fold in folds(run.study)}
    held_out = [row for row in run.results.metrics if row.model == run.study.primary and row.cohort != "train"]
    assert any(row.estimate is not None for row in held_out)
    assert not run.study.private or all(run.ledgers[site] for site in folds(run.study)[0].train)
