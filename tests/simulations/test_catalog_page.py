"""The summary of a run over the catalog: what stands beside our figure, and how long a study takes."""

import io

import pytest
from rich.console import Console

from server.report.results import Published
from shared.study_file import load_study
from simulations.catalog.figures import line_of
from simulations.catalog.lines import Line
from simulations.catalog.listing import listing
from simulations.catalog.page import COLUMNS
from simulations.catalog.seconds import SECONDS
from tests.server.report_studies import full_study
from tests.simulations.test_catalog import PUBLISHED

OURS = {"name": "lscc-staging", "digest": "0" * 64, "metric": "auc", "cohort": "external"}


@pytest.mark.parametrize(
    ("metric", "cohort", "text"),
    [("auc", "external", "0.800"), ("auc", "internal", "0.800, internal"),
     ("accuracy", "external", "0.80, accuracy"), ("accuracy", "internal", "0.80, accuracy, internal")],
)  # fmt: skip
def test_a_published_figure_of_something_else_says_of_what(metric: str, cohort: str, text: str) -> None:
    line = Line(**OURS, published=(0.8, None, None), published_metric=metric, published_cohort=cohort)
    assert COLUMNS["published"](line) == text


def test_the_nearest_published_figure_is_shown() -> None:
    def shown(*places: tuple[str, str, str | None]) -> tuple[str, str]:
        rows = tuple(
            Published(metric=metric, cohort=cohort, model=model, estimate=0.7, low=None, high=None)
            for metric, cohort, model in places
        )
        line = line_of(load_study("lscc-staging"), full_study().model_copy(update={"published": rows}), "")
        return line.published_metric, line.published_cohort

    accuracy, inside, outside = ("accuracy", "external", None), ("auc", "internal", None), ("auc", "external", None)
    assert shown(accuracy, inside, outside) == ("auc", "external")
    assert shown(accuracy, inside) == ("auc", "internal")
    assert shown(("auc", "external", "ct"), ("log_rank_p", "external", None), accuracy) == ("accuracy", "external")
    assert shown(("auc", "external", "ct")) == ("", "")


def test_a_study_that_nobody_ran_here_has_its_seconds_about(tmp_path) -> None:
    assert set(SECONDS) == set(PUBLISHED)
    console = Console(width=250, file=io.StringIO())
    with console.capture() as capture:
        console.print(listing(tmp_path))
    assert f"~{SECONDS['lscc-staging']}" in capture.get()
