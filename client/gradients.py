"""Per-patient gradients by torch.func: correct by construction for bags, masks, ties and own parameters."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import grad, vmap

from shared.model import Batch

Parameters = dict[str, Tensor]
PatientLoss = Callable[[Parameters, Mapping[str, Tensor], Mapping[str, Tensor], Tensor], Tensor]


def patient_gradients(
    loss: PatientLoss, parameters: Mapping[str, Tensor], inputs: Mapping[str, Tensor], batch: Batch, mode: str
) -> Parameters:
    """Gradient of each patient's own loss: {parameter: (patients, *shape)}; a patient with a NaN contributes zeros."""
    fixed = {name: value.detach() for name, value in parameters.items()}
    present = {name: batch.present[name] for name in batch.present}

    def one(weights: Parameters, x: dict[str, Tensor], has: dict[str, Tensor], truth: Tensor) -> Parameters:
        lifted = {name: value.unsqueeze(0) for name, value in x.items()}
        masks = {name: value.unsqueeze(0) for name, value in has.items()}
        gradients: Parameters = grad(loss)(weights, lifted, masks, truth.unsqueeze(0))
        return gradients

    if mode == "loop":
        rows = [
            one(fixed, {n: v[i] for n, v in inputs.items()}, {n: v[i] for n, v in present.items()}, batch.outcome[i])
            for i in range(len(batch))
        ]
        gradients = {name: torch.stack([row[name] for row in rows]) for name in fixed} if rows else _empty(fixed)
    elif len(batch):
        gradients = vmap(one, in_dims=(None, 0, 0, 0))(fixed, dict(inputs), present, batch.outcome)
    else:
        gradients = _empty(fixed)
    return without_broken(gradients)


def without_broken(gradients: Parameters) -> Parameters:
    """Replace all gradients of a patient who has a NaN or an infinity anywhere by zeros."""
    whole = torch.stack([torch.isfinite(g).flatten(1).all(dim=1) for g in gradients.values()]).all(dim=0)
    return {
        name: torch.where(whole.view(-1, *[1] * (g.dim() - 1)), g, torch.zeros_like(g)) for name, g in gradients.items()
    }


def clip_patients(gradients: Parameters, clip: float) -> None:
    """Scale each patient's joint gradient, in place, to a norm of at most ``clip``."""
    if not len(next(iter(gradients.values()))):
        return
    norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients.values()]).norm(dim=0)
    factors = (clip / (norms + 1e-6)).clamp(max=1.0)
    for values in gradients.values():
        values.mul_(factors.view(-1, *[1] * (values.dim() - 1)))


def _empty(parameters: Mapping[str, Tensor]) -> Parameters:
    return {name: torch.zeros(0, *value.shape) for name, value in parameters.items()}
