"""A federation whose validation patients have a budget: noised tallies become figures, the report says so."""

from pathlib import Path

import pytest

from server.report.write import write_report
from shared.wire import Evaluated
from tests.many import federation

BUDGET = "privacy.validation={epsilon=6.0, delta=1e-4}"


def test_figures_ledgers_and_report_are_of_noised_tallies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = federation(tmp_path, monkeypatch, 4, {}, BUDGET, "privacy.epsilon=4", 'fusion.combinations="primary"')
    assert run.failures == []
    sent = [crossing.envelope.header for crossing in run.messages if isinstance(crossing.envelope.header, Evaluated)]
    assert len(sent) == 4
    assert all(not header.portraits and header.releases == 1 for header in sent)
    for own in (own for header in sent for own in header.figures):
        assert (own.n, own.events, own.auc, own.brier, own.risk, own.event_cells) == (None,) * 6
        assert (own.noised is None) == (own.role == "train")
    stages = {site: [line.stage for line in lines] for site, lines in run.ledgers.items()}
    assert stages["h4"] == ["validation"], "a hospital that only validates spends for those patients"
    assert stages["h1"][-2:] == ["threshold", "validation"]
    privacy = run.results.privacy
    assert {row.site for row in privacy.validation} == {"h1", "h2", "h3", "h4"}
    assert all(0.99 * 6 < (row.epsilon or 0) <= 6 for row in privacy.validation)
    assert {row.site for row in privacy.sites} == {"h1", "h2", "h3"}
    composed = {row.site: row.epsilon for row in privacy.composed}
    assert composed["h4"] == pytest.approx(6, rel=0.01)
    assert 6.1 < composed["h1"] < 10
    rows = {(row.cohort, row.site, row.metric): row for row in run.results.metrics if row.model == "clinical+blood"}
    external = rows["external", "h4", "auc"]
    assert external.estimate is not None
    assert (external.n, external.events) == (100, None)
    assert external.method is not None
    assert "noised tallies of 14 cells" in external.method
    assert rows["external", "h4", "sensitivity"].low is not None
    assert rows["external", "h4", "brier"].reason == "needs exact figures; noised tallies only"
    assert all(row.events is None for row in run.results.cohorts)
    assert not run.results.characteristics
    assert not run.results.patterns
    assert any(curve.bins == 14 for curve in run.results.curves)
    write_report(run.results, tmp_path / "page")
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert "its figures are of noised tallies alone" in page
    assert "Privacy spent in validation, by run" in page
    assert "protected by aggregation, not by" not in page
