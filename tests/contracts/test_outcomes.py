"""Every outcome has a loss of each patient by himself, in the right direction."""

from typing import get_args

import pytest
import torch
from torch.func import grad, vmap

from shared.outcomes import OUTCOMES
from shared.study import Outcome


def test_the_registry_covers_exactly_what_a_study_may_name() -> None:
    assert set(get_args(Outcome.model_fields["kind"].annotation)) == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_patients_loss_depends_on_no_other_patient(name: str) -> None:
    outcome = OUTCOMES[name]
    scores, truth = torch.tensor([-2.0, 0.0, 1.0, 30.0]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    together = outcome.loss(scores, truth)
    assert together.shape == (4,)
    assert together.isfinite().all()
    for place in range(4):
        assert torch.equal(outcome.loss(scores[place : place + 1], truth[place : place + 1])[0], together[place])
    jacobian = torch.func.jacrev(lambda s: outcome.loss(s, truth))(scores)
    assert not (jacobian - torch.diag(jacobian.diagonal())).any()


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_higher_score_is_better_for_an_event_and_worse_for_none(name: str) -> None:
    outcome, scores = OUTCOMES[name], torch.linspace(-5, 5, 21)
    slope = vmap(grad(outcome.loss))
    assert (slope(scores, torch.ones(21)) < 0).all()
    assert (slope(scores, torch.zeros(21)) > 0).all()
    assert (outcome.probability(scores).diff() > 0).all()
    assert 0 <= outcome.probability(scores).min() <= outcome.probability(scores).max() <= 1
