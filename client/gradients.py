"""Per-patient gradients by torch.func: correct by construction for bags, masks, ties and own parameters."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import vmap

from shared.batch import Batch

Parameters = dict[str, Tensor]
PatientLoss = Callable[[Parameters, Mapping[str, Tensor], Mapping[str, Tensor], Tensor], Tensor]


def patient_gradients(
    loss: PatientLoss, parameters: Mapping[str, Tensor], inputs: Mapping[str, Tensor], batch: Batch, mode: str
) -> Parameters:
    """Gradient of each patient's own loss, the mean over his units: {parameter: (patients, *shape)}.

    A patient with a NaN in any of his units contributes zeros.
    """
    fixed = {name: value.detach() for name, value in parameters.items()}
    if not len(batch):
        return {name: torch.zeros(0, *value.shape) for name, value in fixed.items()}
    units = Batch(dict(inputs), batch.present, batch.outcome, batch.owner)
    gradients = (_one_by_one if mode == "loop" else _together)(loss, fixed, units)
    return without_broken({name: units.per_patient(values) for name, values in gradients.items()})


def _together(loss: PatientLoss, fixed: Parameters, units: Batch) -> Parameters:
    """One pass: each unit reads weights of its own, so that the sum's gradient by them is its gradient alone.

    One transform fewer than vmap(grad(loss)), and the backward pass is autograd's ordinary one: half the time.
    """
    own = {name: value.expand(len(units), *value.shape).requires_grad_() for name, value in fixed.items()}

    def one(weights: Parameters, x: Parameters, has: Parameters, truth: Tensor) -> Tensor:
        return loss(weights, _lifted(x), _lifted(has), truth.unsqueeze(0))

    return _gradient(vmap(one)(own, units.inputs, units.present, units.outcome).sum(), own)


def _one_by_one(loss: PatientLoss, fixed: Parameters, units: Batch) -> Parameters:
    """A pass for each unit: less memory, and modules that vmap cannot follow."""
    rows = []
    for place in range(len(units)):
        alone = units.pick(torch.tensor([place]))
        own = {name: value.detach().requires_grad_() for name, value in fixed.items()}
        rows.append(_gradient(loss(own, alone.inputs, alone.present, alone.outcome), own))
    return {name: torch.stack([row[name] for row in rows]) for name in fixed}


def _gradient(total: Tensor, weights: Parameters) -> Parameters:
    """Gradient of a sum by the weights; zeros by a weight that is not used."""
    found = torch.autograd.grad(total, list(weights.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(weights, found, strict=True))


def _lifted(values: Parameters) -> Parameters:
    """A unit as a batch of one."""
    return {name: value.unsqueeze(0) for name, value in values.items()}


def without_broken(gradients: Parameters) -> Parameters:
    """Replace all gradients of a patient who has a NaN or an infinity anywhere by zeros."""
    largest = torch.stack([torch.linalg.vector_norm(g.flatten(1), math.inf, dim=1) for g in gradients.values()])
    whole = largest.isfinite().all(dim=0)
    return {name: torch.where(whole.view(-1, *[1] * (g.dim() - 1)), g, 0.0) for name, g in gradients.items()}


def clip_patients(gradients: Parameters, clip: float) -> None:
    """Scale each patient's joint gradient, in place, to a norm of at most ``clip``."""
    if not len(next(iter(gradients.values()))):
        return
    norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients.values()]).norm(dim=0)
    factors = (clip / (norms + 1e-6)).clamp(max=1.0)
    for values in gradients.values():
        values.mul_(factors.view(-1, *[1] * (values.dim() - 1)))
