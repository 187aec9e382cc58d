"""Per-patient gradients by torch.func: correct by construction for bags, masks, ties and own parameters."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import vmap

from shared.batch import Batch

Parameters = dict[str, Tensor]
PatientLoss = Callable[[Parameters, Mapping[str, Tensor], Mapping[str, Tensor], Tensor], Tensor]


@dataclass(frozen=True)
class Vector:
    """All trained weights as one parameter ``values`` (weights,), and where each of them lies in it."""

    values: nn.Parameter
    shapes: Mapping[str, torch.Size]

    @classmethod
    def of(cls, parameters: Mapping[str, Tensor]) -> "Vector":
        """The parameters one after the other."""
        values = torch.cat([parameter.detach().flatten() for parameter in parameters.values()])
        return cls(nn.Parameter(values), {name: parameter.shape for name, parameter in parameters.items()})

    def views(self, values: Tensor | None = None) -> Parameters:
        """The parts of a vector (weights,), by default of this one's, as the parameters; they change with it."""
        whole = self.values.detach() if values is None else values
        parts = torch.split(whole, [shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def columns(self, names: Sequence[str]) -> slice:
        """Where parameters that stand together lie."""
        order = list(self.shapes)
        first = order.index(names[0])
        assert order[first : first + len(names)] == list(names), "they stand apart"
        ends = [0, *torch.tensor([shape.numel() for shape in self.shapes.values()]).cumsum(0).tolist()]
        return slice(ends[first], ends[first + len(names)])


def patient_gradients(loss: PatientLoss, vector: Vector, batch: Batch, mode: str) -> Tensor:
    """Gradient of each patient's own loss, the mean over his units: (patients, weights).

    A patient with a NaN in any of his units contributes zeros.
    """
    if not len(batch):
        return torch.zeros(0, len(vector.values))
    return without_broken(batch.per_patient((_one_by_one if mode == "loop" else _together)(loss, vector, batch)))


def _together(loss: PatientLoss, vector: Vector, units: Batch) -> Tensor:
    """One pass: each unit reads weights of its own, so that the sum's gradient by them is its gradient alone.

    One transform fewer than vmap(grad(loss)), and the backward pass is autograd's ordinary one: half the time.
    """
    own = vector.values.detach().expand(len(units), -1).requires_grad_()

    def one(weights: Tensor, x: Parameters, has: Parameters, truth: Tensor) -> Tensor:
        return loss(vector.views(weights), _lifted(x), _lifted(has), truth.unsqueeze(0))

    return _gradient(vmap(one)(own, units.inputs, units.present, units.outcome).sum(), own)


def _one_by_one(loss: PatientLoss, vector: Vector, units: Batch) -> Tensor:
    """A pass for each unit: less memory, and modules that vmap cannot follow."""
    rows = torch.empty(len(units), len(vector.values))
    for place in range(len(units)):
        alone = units.pick(torch.tensor([place]))
        own = vector.values.detach().requires_grad_()
        rows[place] = _gradient(loss(vector.views(own), alone.inputs, alone.present, alone.outcome), own)
    return rows


def _gradient(total: Tensor, weights: Tensor) -> Tensor:
    """Gradient of a sum by the weights; zeros by weights that are not used."""
    return torch.autograd.grad(total, weights, allow_unused=True, materialize_grads=True)[0]


def _lifted(values: Parameters) -> Parameters:
    """A unit as a batch of one."""
    return {name: value.unsqueeze(0) for name, value in values.items()}


def without_broken(gradients: Tensor) -> Tensor:
    """Replace all gradients of a patient who has a NaN or an infinity anywhere by zeros."""
    whole = torch.linalg.vector_norm(gradients, math.inf, dim=1).isfinite()
    return gradients if whole.all() else torch.where(whole.unsqueeze(1), gradients, 0.0)


def clip_patients(gradients: Tensor, clip: float) -> None:
    """Scale each patient's gradient (patients, weights), in place, to a norm of at most ``clip``."""
    gradients.mul_((clip / (gradients.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1.0))
