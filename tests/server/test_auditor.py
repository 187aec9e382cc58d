"""The server takes no reply that is not of its question: not the round, the arrays, the models or the counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.auditor import audit_figures, audit_tallies, audit_update
from shared.errors import ReplyRejected
from shared.metrics.cells import BINS
from shared.metrics.threshold import CELLS
from shared.parameters import group_of, in_stage
from shared.portrait import PatternCount, Portrait
from shared.score_cells import ClassCells
from shared.study import Study
from shared.wire import Arrays, Envelope, Evaluate, Evaluated, Refused, SiteFigures, Tallied, Train, Trained
from tests.small import ask_figures, ask_round, first_weights, small_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path)


def update(study: Study, stage: str = "encoders", groups: tuple[str, ...] = ("clinical", "blood")) -> Arrays:
    weights = first_weights(study)
    return {n: np.ones_like(v) for n, v in weights.items() if in_stage(n, stage) and group_of(n) in groups}


def audited(study: Study, arrays: Arrays, **changes: Any) -> Trained:
    task = ask_round(study).header
    assert isinstance(task, Train)
    header = Trained(**{"stage": "encoders", "round": 1, "epsilon": 1.0, "releases": 2, **changes})
    return audit_update(Envelope(header, arrays), task, first_weights(study))


def test_updates_of_whole_groups_are_taken(study: Study) -> None:
    for groups in (("clinical", "blood"), ("clinical",), ()):
        assert audited(study, update(study, groups=groups)).stage == "encoders"


@pytest.mark.parametrize("name", ["x", "", "encoders", "encoders.clinical", "encoders.clinical.x", "fusions", "a.b.c"])
def test_a_name_that_is_no_parameter_is_rejected(name: str, study: Study) -> None:
    for arrays in ({name: np.ones(3, np.float32)}, {**update(study), name: np.ones(3, np.float32)}):
        with pytest.raises(ReplyRejected, match="no parameter of the model"):
            audited(study, arrays)


def test_parts_of_groups_and_other_stages_are_rejected(study: Study) -> None:
    whole = update(study)
    for arrays in (dict(list(whole.items())[:1]), update(study, "fusion", ("clinical+blood",))):
        with pytest.raises(ReplyRejected, match="whole parameter groups"):
            audited(study, arrays)


@pytest.mark.parametrize("change", [{"round": 2}, {"stage": "fusion"}])
def test_another_round_is_rejected(change: dict[str, object], study: Study) -> None:
    with pytest.raises(ReplyRejected, match="another round"):
        audited(study, update(study), **change)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2e6])
def test_a_number_that_no_update_has_is_rejected(value: float, study: Study) -> None:
    arrays = update(study)
    arrays[max(arrays)].flat[0] = value
    with pytest.raises(ReplyRejected, match="number"):
        audited(study, arrays)


def test_tallies_are_one_a_model(study: Study) -> None:
    header, tallies = Tallied(epsilon=1.0, releases=1), {model: np.ones((2, CELLS)) for model in study.models}
    assert audit_tallies(Envelope(header, tallies), study.models) == header
    for arrays in ({}, {**tallies, "x": np.ones((2, CELLS))}, {**tallies, "blood": np.ones((2, CELLS + 1))}):
        with pytest.raises(ReplyRejected):
            audit_tallies(Envelope(header, arrays), study.models)


def figures(**changes: Any) -> SiteFigures:
    sound = {"model": "blood", "role": "external", "n": 40, "events": 20, "auc": 0.7, "auc_variance": 0.01}
    cells = ClassCells(edges=(0, 50, BINS), counts=(5, 15))
    return SiteFigures.model_validate({**sound, "brier": 0.2, "event_cells": cells, "other_cells": cells, **changes})


def answer(study: Study, *given: SiteFigures, **changes: Any) -> Evaluated:
    task = ask_figures(study).header
    assert isinstance(task, Evaluate)
    header = Evaluated(**{"models": task.models, "figures": given, **changes})
    return audit_figures(Envelope(header), task, study.models)


NOTHING = {"auc": None, "auc_variance": None, "brier": None, "event_cells": None, "other_cells": None}


def test_figures_of_the_studys_models_are_taken(study: Study) -> None:
    few = figures(**NOTHING, model="clinical", n=None, events=None, reasons={"all": "too few to report"})
    one_class = figures(**NOTHING, role="internal", events=40, reasons={"all": "one class only"})
    assert len(answer(study, figures(), figures(role="internal", model="clinical+blood")).figures) == 2
    assert len(answer(study, figures(), few, one_class).figures) == 3


def test_an_outcome_of_several_questions_has_figures_for_each(study: Study) -> None:
    questions = [figures(target="mild"), figures(target="severe")]
    assert len(answer(study, *questions).figures) == 2
    with pytest.raises(ReplyRejected, match="each once a cohort"):
        answer(study, *questions, figures(target="mild", auc=0.8))


def test_figures_of_other_models_are_rejected(study: Study) -> None:
    with pytest.raises(ReplyRejected, match="evaluated other models"):
        answer(study, figures(), models="0" * 64)
    for given in ([figures(model="x")], [figures(), figures()], [figures(), figures(auc=0.8)]):
        with pytest.raises(ReplyRejected, match="each once a cohort"):
            answer(study, *given)


@pytest.mark.parametrize("size", [{"events": 0}, {"events": 40}, {"n": None, "events": None}, {"events": None}])
@pytest.mark.parametrize("told", [{"auc": 0.5}, {"brier": 0.0}, {"auc_variance": 0.1}])
def test_figures_without_both_classes_are_rejected(size: dict[str, Any], told: dict[str, Any], study: Study) -> None:
    with pytest.raises(ReplyRejected, match="both classes"):
        answer(study, figures(**{**NOTHING, **size, **told}))


@pytest.mark.parametrize("size", [{"events": 41}, {"events": -1}, {"n": -3, "events": None}])
def test_counts_of_no_cohort_are_rejected(size: dict[str, Any], study: Study) -> None:
    with pytest.raises(ReplyRejected, match="counts"):
        answer(study, figures(**{**NOTHING, **size}))


def test_an_answer_to_another_question_is_rejected(study: Study) -> None:
    task, other = ask_figures(study).header, Envelope(Refused(code="no", sentence="no"))
    assert isinstance(task, Evaluate)
    with pytest.raises(ReplyRejected, match="another question"):
        audit_figures(other, task, study.models)
    with pytest.raises(ReplyRejected, match="another question"):
        audit_tallies(other, study.models)


def test_portraits_are_of_the_studys_modalities_once_a_cohort(study: Study) -> None:
    def described(*names: str, role: str = "external") -> Portrait:
        patterns = (PatternCount(present=names, n=40),)
        return Portrait(role=role, patients=40, patterns=patterns)  # type: ignore[arg-type]

    sound = (described("clinical", "blood"), described("blood", role="internal"))
    assert answer(study, figures(), portraits=sound).portraits == sound
    for portraits in ((described("blood <b>"),), (described("clinical"), described("blood"))):
        with pytest.raises(ReplyRejected, match="describes"):
            answer(study, figures(), portraits=portraits)
