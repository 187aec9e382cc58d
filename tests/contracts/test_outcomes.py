"""Every outcome reads its truth from words and numbers, has a loss of each unit by itself, and questions that fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from shared.heads import Outputs, own_head
from shared.losses import LOSSES
from shared.outcomes import OUTCOMES, Outcome
from shared.outcomes.base import MISSING, UNKNOWN, OutcomeSection
from shared.outcomes.loss_choice import CrossEntropy, Focal, LossChoice, Weighted

WORDS = {"positive": ["yes"], "negative": ["no"], "predicted_at": "admission"}
CLASSES = {"column": "grade", "classes": {"low": ["1"], "middle": ["2", "2a"], "high": ["3"]}, "predicted_at": "now"}
NUMBER = {"range": [0, 100], "unit": "cm", "predicted_at": "now"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "binary": {"column": "ill", **WORDS},
    "early-warning": {"column": "ill", "horizon": 48.0, **WORDS},
    "multiclass": CLASSES,
    "ordinal": CLASSES,
    "multilabel": {"labels": {"a": "has_a", "b": "has_b"}, **WORDS},
    "survival": {"time": "months", "event": "dead", "cuts": [6, 12, 24], **WORDS},
    "regression": {"column": "level", **NUMBER},
    "forecast": {"horizons": {"10-min": "level_10", "20-min": "level_20"}, **NUMBER},
}
UNITS = 11


def example(kind: str) -> OutcomeSection:
    outcome: OutcomeSection = TypeAdapter(Outcome).validate_python({"kind": kind, **EXAMPLES[kind]}, strict=False)
    return outcome


def truths(outcome: OutcomeSection) -> torch.Tensor:
    return torch.tensor([outcome.example(number) for number in range(UNITS)], dtype=torch.float32)


def scores(outcome: OutcomeSection, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = 2 * torch.randn(UNITS, outcome.outputs, generator=generator)
    return drawn.sort(dim=1, descending=True).values if outcome.kind == "ordinal" else drawn  # type: ignore[attr-defined]


def choices(kind: str) -> list[LossChoice]:
    weighted = {"binary": (0.8, 0.2), "early-warning": (0.9, 0.1), "multiclass": (0.5, 0.3, 0.2)}
    weighted["ordinal"] = weighted["multiclass"]
    own: list[LossChoice] = [CrossEntropy()]
    if kind in weighted:
        own += [Weighted(kind="weighted", prevalence=weighted[kind]), Focal(kind="focal", gamma=2.0)]
    return own


CASES = [(kind, choice) for kind in OUTCOMES for choice in choices(kind)]
NAMES = [f"{kind}-{choice.kind}" for kind, choice in CASES]


def test_every_outcome_has_an_example_and_a_loss() -> None:
    assert set(OUTCOMES) == set(EXAMPLES) == set(LOSSES)


@pytest.mark.parametrize(("kind", "choice"), CASES, ids=NAMES)
def test_a_units_loss_depends_on_no_other_unit(kind: str, choice: LossChoice) -> None:
    outcome = example(kind)
    given, truth = scores(outcome), truths(outcome)
    together = LOSSES[kind](given, truth, outcome, choice)
    assert together.shape == (UNITS,)
    assert together.isfinite().all()
    assert (together >= 0).all()
    for place in range(UNITS):
        alone = LOSSES[kind](given[place : place + 1], truth[place : place + 1], outcome, choice)
        torch.testing.assert_close(alone[0], together[place])
    vmapped = torch.func.vmap(lambda s, t: LOSSES[kind](s[None], t[None], outcome, choice)[0])(given, truth)
    torch.testing.assert_close(vmapped, together)


@pytest.mark.parametrize(("kind", "choice"), CASES, ids=NAMES)
def test_descent_on_the_loss_finds_the_truth(kind: str, choice: LossChoice) -> None:
    """A head on embeddings that are each unit's own, all moved by the loss alone, comes to say what is true."""
    outcome, width = example(kind), 1 if example(kind).proportional else example(kind).outputs
    truth, head = truths(outcome), own_head(width, Outputs.of(outcome))
    free = torch.randn(UNITS, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = torch.optim.Adam([free, *head.parameters()], lr=0.1)
    for _ in range(400):
        optimizer.zero_grad()
        LOSSES[kind](head(free), truth, outcome, choice).sum().backward()
        assert free.grad is not None
        assert free.grad.isfinite().all()
        optimizer.step()
    found = head(free).detach().double().numpy()
    for target in outcome.targets(truth.double().numpy(), found).values():
        ill, well = target.score[target.event == 1], target.score[target.event == 0]
        assert not len(ill) or not len(well) or ill.min() > well.max()
    measures = outcome.measures(truth.double().numpy(), found)
    assert measures.get("accuracy", 1.0) == 1.0
    assert all(value < 1e-2 for name, value in measures.items() if name.startswith("mae"))


@pytest.mark.parametrize("kind", OUTCOMES)
def test_questions_are_of_known_units_and_rise_with_their_own_score(kind: str) -> None:
    outcome = example(kind)
    truth = truths(outcome).double().numpy()
    for target in outcome.targets(truth, scores(outcome).double().numpy()).values():
        assert target.known.shape == (UNITS,)
        assert len(target.event) == len(target.score) == target.known.sum()
        assert set(target.event.tolist()) <= {0.0, 1.0}
        assert np.isfinite(target.score).all()
    strata = outcome.strata(truth)
    assert strata.shape == (UNITS,)
    assert strata.min() >= 0


READ = [
    ("binary", {"ill": "yes"}, (1.0,)),
    ("binary", {"ill": " no "}, (0.0,)),
    ("binary", {"ill": "NA"}, MISSING),
    ("binary", {"ill": "Yes"}, UNKNOWN),
    ("ordinal", {"grade": "2a"}, (1.0,)),
    ("multiclass", {"grade": "4"}, UNKNOWN),
    ("multilabel", {"has_a": "yes", "has_b": "no"}, (1.0, 0.0)),
    ("multilabel", {"has_a": "", "has_b": "?"}, MISSING),
    ("multilabel", {"has_a": "perhaps", "has_b": "no"}, UNKNOWN),
    ("survival", {"months": "7.5", "dead": "no"}, (7.5, 0.0)),
    ("survival", {"months": "-1", "dead": "no"}, "outcome outside its declared range"),
    ("survival", {"months": "3", "dead": ""}, MISSING),
    ("regression", {"level": "75"}, (0.5,)),
    ("regression", {"level": "nan"}, MISSING),
    ("regression", {"level": "inf"}, "outcome outside its declared range"),
    ("regression", {"level": "high"}, "outcome not a number"),
    ("forecast", {"level_10": "0", "level_20": "100"}, (-1.0, 1.0)),
    ("forecast", {"level_10": "0", "level_20": ""}, MISSING),
]


@pytest.mark.parametrize(("kind", "row", "expected"), READ)
def test_a_row_is_read_or_left_out_by_a_rule(kind: str, row: Mapping[str, str], expected: object) -> None:
    assert example(kind).read(row) == expected


def test_a_label_that_was_not_recorded_counts_nowhere() -> None:
    outcome = example("multilabel")
    truth = torch.tensor([[float("nan"), 1.0]])
    far, near = (LOSSES["multilabel"](torch.tensor([[x, 2.0]]), truth, outcome, CrossEntropy()) for x in (50.0, -50.0))
    assert torch.equal(far, near)
    assert outcome.targets(truth.numpy(), np.zeros((1, 2)))["a"].known.tolist() == [False]


def test_the_hazard_likelihood_is_that_of_its_intervals() -> None:
    """By hand: cuts 6, 12, 24; event at 7 survives the first and dies in the second; censored at 10 survives both."""
    outcome, hazards = example("survival"), torch.tensor([0.1, 0.2, 0.3])
    logits = hazards.logit().expand(4, 3)
    truth = torch.tensor([[7.0, 1.0], [10.0, 0.0], [8.0, 0.0], [30.0, 1.0]])
    expected = [0.9 * 0.2, 0.9 * 0.8, 0.9, 0.9 * 0.8 * 0.7]
    losses = LOSSES["survival"](logits, truth, outcome, CrossEntropy())
    torch.testing.assert_close(losses, -torch.tensor(expected).log())


def test_the_cumulative_link_is_a_difference_of_two_sigmoids() -> None:
    outcome = example("ordinal")
    above = torch.tensor([[2.0, -1.0]]).repeat(3, 1)
    p1, p2 = torch.tensor(2.0).sigmoid(), torch.tensor(-1.0).sigmoid()
    losses = LOSSES["ordinal"](above, torch.tensor([[0.0], [1.0], [2.0]]), outcome, CrossEntropy())
    torch.testing.assert_close(losses, -torch.stack([1 - p1, p1 - p2, p2]).log())


def test_weights_make_declared_classes_count_alike() -> None:
    assert Weighted(kind="weighted", prevalence=(0.8, 0.2)).weights == pytest.approx((0.625, 2.5))
