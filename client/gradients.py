"""Per-patient gradients by torch.func: correct by construction for bags, masks, ties and own parameters.

By ``vmap`` they are recorded once for a model, a study and the shapes of a step, and replayed at each step and round.
By ``loop`` each unit has a pass of its own: less time and memory for networks of millions of weights, and good for
modules that vmap cannot follow.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import grad, vmap
from torch.utils._pytree import tree_flatten, tree_unflatten

from client.recording import Recording, record
from shared.batch import Batch
from shared.study import Study

Parameters = dict[str, Tensor]
UnitLoss = Callable[[Parameters, Mapping[str, Tensor], Mapping[str, Tensor], Tensor], Tensor]
Recordings = dict[Hashable, Recording]
_RECORDED: WeakKeyDictionary[nn.Module, tuple[Study, dict[str, Recordings]]] = WeakKeyDictionary()


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


def recordings_of(model: nn.Module, study: Study, stage: str) -> Recordings:
    """What was recorded of a model's stage under this very study; forgotten with the model."""
    kept = _RECORDED.get(model)
    if kept is None or kept[0] is not study:
        kept = _RECORDED[model] = (study, {})
    return kept[1].setdefault(stage, {})


class PatientLoss:
    """The loss of one unit, and where recordings of its gradient are kept from round to round.

    An object serves one round: weights that are not trained do not change within it.
    """

    def __init__(self, of_unit: UnitLoss, recordings: Recordings) -> None:
        self.of_unit, self._recordings = of_unit, recordings
        self._last: tuple[Vector, Batch, Callable[[], Tensor]] | None = None

    def gradients(self, vector: Vector, units: Batch) -> Tensor:
        """Of each unit, (units, weights); what is the same at each step with these units is computed at the first."""
        if self._last is None or self._last[0] is not vector or self._last[1] is not units:
            self._last = vector, units, self._bound(vector, units)
        return self._last[2]()[: len(units)]

    def _bound(self, vector: Vector, units: Batch) -> Callable[[], Tensor]:
        values, form = tree_flatten((units.inputs, units.present, units.outcome))
        more = -len(units) % max(1, 2 ** (len(units).bit_length() - 4))  # an eighth at most: draws share recordings
        given = [torch.cat([value, value[:more]]) if more else value for value in values]
        key = (form, tuple(vector.shapes.items()), tuple((value.shape, value.dtype) for value in given))
        if key not in self._recordings:

            def together(weights: Tensor, *given: Tensor) -> Tensor:
                def one(weights: Tensor, x: Parameters, has: Parameters, truth: Tensor) -> Tensor:
                    return self.of_unit(vector.views(weights), _lifted(x), _lifted(has), truth.unsqueeze(0))

                rows: Tensor = vmap(grad(one), in_dims=(None, 0, 0, 0))(weights, *tree_unflatten(given, form))
                return rows

            self._recordings[key] = record(together, vector.values, given)
        return self._recordings[key].bound(vector.values.detach(), given)


def patient_gradients(loss: PatientLoss, vector: Vector, batch: Batch, mode: str) -> Tensor:
    """Gradient of each patient's own loss, the mean over his units: (patients, weights).

    A patient with a NaN in any of his units contributes zeros.
    """
    if not len(batch):
        return torch.zeros(0, len(vector.values))
    rows = _one_by_one(loss, vector, batch) if mode == "loop" else loss.gradients(vector, batch)
    return without_broken(batch.per_patient(rows))


def _one_by_one(loss: PatientLoss, vector: Vector, units: Batch) -> Tensor:
    """A pass for each unit: less memory, and modules that vmap cannot follow."""
    rows = torch.empty(len(units), len(vector.values))
    for place in range(len(units)):
        own = {name: value.requires_grad_() for name, value in vector.views().items()}
        x, has = _only(units.inputs, place), _only(units.present, place)
        total = loss.of_unit(own, x, has, units.outcome[place : place + 1])
        found = torch.autograd.grad(total, list(own.values()), allow_unused=True, materialize_grads=True)
        for part, value in zip(vector.views(rows[place]).values(), found, strict=True):
            part.copy_(value)
    return rows


def _only(values: Parameters, place: int) -> Parameters:
    """One of the units, as a batch of one."""
    return {name: value[place : place + 1] for name, value in values.items()}


def _lifted(values: Parameters) -> Parameters:
    """A unit by itself as a batch of one."""
    return {name: value.unsqueeze(0) for name, value in values.items()}


def without_broken(gradients: Tensor) -> Tensor:
    """Replace all gradients of a patient who has a NaN, an infinity or an infinite norm by zeros."""
    if math.isfinite(torch.linalg.vector_norm(gradients)):
        return gradients
    whole = torch.linalg.vector_norm(gradients, dim=1).isfinite()
    return torch.where(whole.unsqueeze(1), gradients, 0.0)


def clip_patients(gradients: Tensor, clip: float) -> None:
    """Scale each patient's gradient (patients, weights), in place, to a norm of at most ``clip``."""
    gradients.mul_((clip / (gradients.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1.0))
