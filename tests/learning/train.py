"""Trains one encoder with its head without privacy, and says how much of the oracle's AUC it reaches."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from shared.encoders import ENCODERS
from shared.encoders.base import Encoder
from shared.heads import Outputs, own_head
from shared.metrics.delong import auc_with_variance
from tests.learning.invented import Patients, invent, invented_section

TESTED = 1000  # patients that measure
SCORED = 200  # of them at once


@dataclass(frozen=True)
class Plan:
    """How an encoder is trained: ``rate`` of gradient descent on all patients at once, or of Adam on few (``rows``)."""

    patients: int
    steps: int
    rate: float
    rows: int | None = None


@dataclass(frozen=True)
class Result:
    """What an encoder reached."""

    parameters: int
    auc: float
    oracle: float

    @property
    def share(self) -> float:
        """Of the way from one half to the oracle's AUC."""
        return (self.auc - 0.5) / (self.oracle - 0.5)


def learned(kind: str, name: str, plan: Plan, file: Path | None, **options: object) -> Result:
    """Train on some invented patients and measure on others."""
    spec = invented_section(kind, name, **options)
    encoder = ENCODERS[kind][name].build(spec, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    if file:
        encoder.attach(file)
    known, others = invent(kind, plan.patients, 1), invent(kind, TESTED, 2)
    model = nn.Sequential(encoder, own_head(encoder.width, Outputs(1)))
    _train(model, _prepared(encoder, known), known.outcome, plan)
    with torch.no_grad():
        score = torch.cat([model(x) for x in _prepared(encoder, others).split(SCORED)]).squeeze(-1)
    truth = others.outcome.double().numpy()
    return Result(
        sum(value.numel() for value in model.parameters()),
        auc_with_variance(truth, score.double().numpy())[0],
        auc_with_variance(truth, others.factor.double().numpy())[0],
    )


def _prepared(encoder: Encoder, patients: Patients) -> Tensor:
    with torch.no_grad():
        return torch.stack([encoder.prepare(raw) for raw in patients.raw])


def _train(model: nn.Module, x: Tensor, outcome: Tensor, plan: Plan) -> None:
    chance = torch.Generator().manual_seed(3)
    optimizer: torch.optim.Optimizer = (
        torch.optim.Adam(model.parameters(), lr=plan.rate)
        if plan.rows
        else torch.optim.SGD(model.parameters(), lr=plan.rate, momentum=0.9)
    )
    rows = plan.rows or len(x)
    for _ in range(ceil(plan.steps * rows / len(x))):
        for some in torch.randperm(len(x), generator=chance).split(rows):
            loss = binary_cross_entropy_with_logits(model(x[some]).squeeze(-1), outcome[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
