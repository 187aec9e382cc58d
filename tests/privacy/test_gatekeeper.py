"""No message with a small count, a non-finite number, a foreign array or a patient's row passes the gate."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from client.gatekeeper import check_outgoing
from client.site import Limits, Site
from shared.errors import PrivacyRefusal
from shared.metrics.cells import BINS
from shared.metrics.threshold import CELLS
from shared.model import MultimodalModel
from shared.parameters import in_stage
from shared.risk_figures import Paired, Precision, RiskFigures
from shared.score_cells import ClassCells
from shared.study_file import load_study
from shared.wire import (
    Arrays,
    CohortCount,
    Described,
    Envelope,
    Evaluated,
    Refused,
    SiteFigures,
    Tallied,
    Trained,
)
from tests.small import ask_counts, ask_figures, ask_round, ask_tallies

STUDY = load_study("lscc-staging")
MODEL = MultimodalModel(STUDY)
SHAPES = {
    stage: {n: tuple(p.shape) for n, p in MODEL.named_parameters() if in_stage(n, stage)}
    for stage in ("encoders", "fusion")
}
LIMITS = Limits(max_epsilon=8.0, min_cell=5, min_class=10, min_patients=20)
PRIVATE = Site(name="north", data=Path("."), state=Path("."), encoding="utf-8", limits=LIMITS)
OPEN = PRIVATE.model_copy(update={"limits": LIMITS.model_copy(update={"allow_without_privacy": True})})
DIGEST = "0" * 64
SMALL = st.integers(1, LIMITS.min_cell - 1)
STAGE = st.sampled_from(["encoders", "fusion"])


def trained(stage: str = "encoders", epsilon: float | None = 1.0) -> Trained:
    return Trained(stage=stage, round=1, epsilon=epsilon, releases=3)  # type: ignore[arg-type]


def update(stage: str) -> Arrays:
    return {name: np.ones(shape, dtype=np.float32) for name, shape in SHAPES[stage].items()}


def tallies(value: float = 7.5) -> Arrays:
    return {model: np.full((2, CELLS), value) for model in STUDY.models}


def cells(*counts: int, edges: tuple[int, ...] = (0, 40, BINS)) -> ClassCells:
    return ClassCells(edges=edges, counts=counts)


def figures(**changes: object) -> Envelope:
    sound = {"model": "ct", "role": "external", "n": 60, "events": 25, "auc": 0.8, "auc_variance": 0.01, "brier": 0.2}
    tally = {"event_cells": cells(5, 20), "other_cells": cells(5, 30, 0, edges=(0, 50, 75, BINS))}
    one = SiteFigures.model_validate({**sound, **tally, **changes})
    return Envelope(Evaluated(models=DIGEST, figures=(one,)))


def counts(**changes: object) -> Envelope:
    return Envelope(
        Described(
            cohorts=(CohortCount.model_validate({"role": "train", "n": 60, "events": 25, **changes}),),
            epsilon_limit=8.0,
        )
    )


def refused(envelope: Envelope, site: Site = PRIVATE) -> str:
    with pytest.raises(PrivacyRefusal) as refusal:
        check_outgoing(envelope, site, MODEL)
    return refusal.value.code


def test_what_may_leave_passes() -> None:
    for stage in SHAPES:
        check_outgoing(Envelope(trained(stage), update(stage)), PRIVATE, MODEL)
        check_outgoing(Envelope(trained(stage, None), update(stage)), OPEN, MODEL)
    check_outgoing(
        Envelope(trained(), dict(list(update("encoders").items())[:2])), PRIVATE, MODEL
    )  # not all groups held
    check_outgoing(Envelope(Tallied(epsilon=1.0, releases=1), tallies(-3.2)), PRIVATE, MODEL)  # noised
    check_outgoing(Envelope(Tallied(epsilon=None, releases=0), tallies(5.0)), OPEN, MODEL)
    check_outgoing(figures(), PRIVATE, MODEL)
    nothing = {"n": None, "events": None}
    check_outgoing(figures(**NOTHING), PRIVATE, MODEL)
    check_outgoing(figures(**NOTHING, **nothing), PRIVATE, MODEL)
    check_outgoing(figures(role="train", **NO_CELLS), PRIVATE, MODEL)
    check_outgoing(counts(), PRIVATE, MODEL)
    check_outgoing(counts(events=None), PRIVATE, MODEL)  # of training patients under privacy
    check_outgoing(counts(**nothing), PRIVATE, MODEL)
    check_outgoing(counts(events=0, excluded={"outcome missing": 5}), PRIVATE, MODEL)
    check_outgoing(Envelope(Refused(code="internal", sentence="no")), PRIVATE, None)


@given(stage=STAGE, bad=st.sampled_from([np.nan, np.inf, -np.inf]), data=st.data())
def test_one_number_that_is_not_finite_is_enough(stage: str, bad: float, data: st.DataObject) -> None:
    arrays = update(stage)
    name = data.draw(st.sampled_from(sorted(arrays)))
    arrays[name].flat[data.draw(st.integers(0, arrays[name].size - 1))] = bad
    assert refused(Envelope(trained(stage), arrays)) == "not-finite"
    noised = tallies()
    noised["ct"][1, 3] = bad
    assert refused(Envelope(Tallied(epsilon=1.0, releases=1), noised)) == "not-finite"


FOREIGN = st.dictionaries(
    st.text(max_size=30) | st.sampled_from([*SHAPES["fusion"], *STUDY.models, "embeddings", "scores"]),
    st.lists(st.integers(0, 40), max_size=3).map(lambda shape: np.ones(shape, dtype=np.float32)),
    min_size=1,
    max_size=2,
)


@given(foreign=FOREIGN)
def test_no_foreign_array_passes(foreign: Arrays) -> None:
    """Neither an array of another name or stage or shape, nor any array in a message that has none."""
    if not all(SHAPES["encoders"].get(name) == values.shape for name, values in foreign.items()):
        assert refused(Envelope(trained(), {**update("encoders"), **foreign})) == "wrong-shape"
    if not all(name in STUDY.models and values.shape == (2, CELLS) for name, values in foreign.items()):
        assert refused(Envelope(Tallied(epsilon=1.0, releases=1), {**tallies(), **foreign})) == "wrong-shape"
    for envelope in (figures(), counts(), Envelope(Refused(code="internal", sentence="no"))):
        assert refused(Envelope(envelope.header, foreign)) == "wrong-shape"


@pytest.mark.parametrize("patients", [1, 60, CELLS - 1, CELLS + 1])
def test_no_row_a_patient_passes(patients: int) -> None:
    for shape in ((patients,), (2, patients), (patients, 2), (patients, CELLS)):
        arrays = {**tallies(), "ct": np.full(shape, 7.5)}
        assert refused(Envelope(Tallied(epsilon=1.0, releases=1), arrays)) == "wrong-shape"


@pytest.mark.parametrize("kind", [np.int64, np.bool_, np.complex128, "U9", object])
def test_only_floating_numbers_pass(kind: type) -> None:
    arrays = {**tallies(), "ct": np.full((2, CELLS), 7).astype(kind)}
    assert refused(Envelope(Tallied(epsilon=1.0, releases=1), arrays)) == "not-finite"


@given(small=SMALL, row=st.integers(0, 1), cell=st.integers(0, CELLS - 1))
def test_counts_without_noise_have_no_small_cell(small: int, row: int, cell: int) -> None:
    arrays = tallies(5.0)
    arrays["ct"][row, cell] = small
    assert refused(Envelope(Tallied(epsilon=None, releases=0), arrays), OPEN) == "small-cell"


def test_what_was_trained_without_privacy_leaves_only_where_the_hospital_said_so() -> None:
    assert refused(Envelope(trained(epsilon=None), update("encoders"))) == "privacy-required"
    assert refused(Envelope(Tallied(epsilon=None, releases=0), tallies(5.0))) == "privacy-required"


def test_of_a_private_study_nothing_bare_leaves_wherever_others_may() -> None:
    bare = Envelope(trained(epsilon=None), update("encoders"))
    check_outgoing(bare, OPEN, MODEL, STUDY.without_privacy(), "federated")
    with pytest.raises(PrivacyRefusal, match="without privacy") as refusal:
        check_outgoing(bare, OPEN, MODEL, STUDY, "federated")
    assert refusal.value.code == "privacy-required"


@given(small=SMALL | st.integers(-9, -1), place=st.integers(0, 1))
def test_no_small_count_of_a_cohort_passes(small: int, place: int) -> None:
    for changes in ({"events": small}, {"events": 60 - small}, {"excluded": {"outcome missing": small}}):
        assert refused(counts(**changes)) in ("small-cell", "too-few")
    assert refused(counts(n=LIMITS.min_patients - 1, events=9)) == "too-few"
    assert refused(counts(n=None)) == refused(counts(n=LIMITS.min_patients - 1, events=None)) == "too-few"
    for name, total in (("event_cells", 25), ("other_cells", 35)):
        if small > 0:
            pair = (small, total - small) if place else (total - small, small)
            assert refused(figures(**{name: cells(*pair)})) == "small-cell"
    assert refused(figures(**NOTHING, events=small)) in ("small-cell", "too-few")
    assert refused(figures(**NOTHING, events=60 - small)) in ("small-cell", "too-few")


def risk(**changes: object) -> RiskFigures:
    """As it may leave, then changed behind the back of its own rules."""
    sound = RiskFigures(
        expected=24.5,
        log_loss=0.4,
        precision=Precision(value=0.7, low=0.6, high=0.812),
        paired=Paired(auc=0.001234, brier=0.0),
    )
    return sound.model_copy(update=changes)


def test_figures_of_risks_pass_only_rounded_and_finite() -> None:
    check_outgoing(figures(risk=risk()), PRIVATE, MODEL)
    for precise in (Precision.model_construct(value=0.7001, low=0.6, high=0.8), Precision.model_construct(
        value=0.7, low=0.6123, high=0.8)):  # fmt: skip
        assert refused(leaked(risk=risk(precision=precise))) == "not-rounded"
    assert refused(leaked(risk=risk(paired=Paired.model_construct(auc=0.0012345, brier=0.0)))) == "not-rounded"
    for bad in (np.nan, np.inf):
        assert refused(leaked(risk=risk(log_loss=bad))) == "not-rounded"


def leaked(**changes: object) -> Envelope:
    """Figures changed after they were made, past the rules of the message."""
    header = figures().header
    assert isinstance(header, Evaluated)
    return Envelope(Evaluated.model_construct(models=DIGEST, figures=(header.figures[0].model_copy(update=changes),)))


def test_all_models_are_of_the_same_patients() -> None:
    one = figures(**NO_CELLS).header
    assert isinstance(one, Evaluated)
    other = one.figures[0].model_copy(update={"model": "clinical", "n": 66, "events": 30})
    assert refused(Envelope(Evaluated(models=DIGEST, figures=(*one.figures, other)))) == "other-patients"
    check_outgoing(
        Envelope(Evaluated(models=DIGEST, figures=(*one.figures, other.model_copy(update={"role": "internal"})))),
        PRIVATE,
        MODEL,
    )


NO_CELLS = {"event_cells": None, "other_cells": None}
NOTHING = {"auc": None, "auc_variance": None, "brier": None, "risk": None, **NO_CELLS}


@pytest.mark.parametrize("told", [{"auc": 0.8}, {"auc_variance": 0.1}, {"brier": 0.1}, {"auc": 0.0}, {"risk": True}])
@pytest.mark.parametrize("size", [{"events": 9}, {"events": 52}, {"n": None, "events": None}, {"events": 0}])
def test_no_figure_of_too_few_patients_passes(told: dict[str, object], size: dict[str, object]) -> None:
    if told.get("risk"):
        assert refused(leaked(**{**NOTHING, **size, "risk": risk()})) == "too-few"
    else:
        assert refused(figures(**{**NOTHING, **size, **told})) == "too-few"


@pytest.mark.parametrize("events", [9, 0, 52])
def test_no_curve_of_too_few_patients_passes(events: int) -> None:
    for name, total in (("event_cells", events), ("other_cells", 60 - events)):
        assert refused(figures(**{**NOTHING, "events": events, name: cells(total, 0)})) == "too-few"


def test_training_patients_are_tallied_once_only() -> None:
    """For the threshold; a second tally of the same scores on another grid would show single patients."""
    for name in NO_CELLS:
        assert refused(figures(role="train", **{name: None})) == "tallied-twice"


@pytest.mark.parametrize(
    ("edges", "counts"),
    [
        ((0, 40, 99), (5, 20)),
        ((1, 40, BINS), (5, 20)),
        ((0, 40, 40, BINS), (5, 0, 20)),
        ((0, 60, 40, BINS), (5, 0, 20)),
        ((-5, 0, BINS), (5, 20)),
        ((0, 40, BINS), (25,)),
        ((0, 40, BINS), (25, 0, 0)),
        ((0, 40, BINS), (30, -5)),
        ((BINS,), ()),
        ((0,), ()),
        ((), ()),
    ],
)
def test_a_tally_that_is_not_on_the_grid_is_no_message(edges: tuple[int, ...], counts: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        ClassCells(edges=edges, counts=counts)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_cells": cells(6, 20)},
        {"other_cells": cells(35, 7)},
        {"event_cells": cells(20, 0)},
        {"events": 26},
        {"n": 61},
        {"n": None, "events": None},
        {"events": None},
    ],
)
def test_a_tally_that_is_not_one_of_its_patients_is_no_message(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="the patients of its class"):
        figures(**changes)


@pytest.mark.parametrize("question", [ask_counts, ask_round, ask_tallies, ask_figures])
def test_a_question_is_no_reply(question: object) -> None:
    assert refused(question(STUDY)) == "no-reply"  # type: ignore[operator]


def test_without_a_model_no_array_leaves() -> None:
    for envelope in (Envelope(trained(), update("encoders")), Envelope(Tallied(epsilon=1.0, releases=1), tallies())):
        with pytest.raises(PrivacyRefusal, match="wrong-shape"):
            check_outgoing(envelope, PRIVATE, None)
