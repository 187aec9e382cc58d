"""Recurrent layers over padded sequences, written so that each patient's own gradient costs hardly more than their sum.

PyTorch's packed layers read lengths as they compute, which vmap cannot follow: each patient would need a pass of his
own. Here all steps are one operation of PyTorch's registry, forward and back, in which the patients of a vmap are rows
as any others; the gradient of the weights is one product over all steps.
"""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from shared.encoders import gru, lstm

Layer = nn.LSTM | nn.GRU
CELLS: dict[str, ModuleType] = {"LSTM": lstm, "GRU": gru}


def outputs_of(layer: Layer, x: Tensor, lengths: Tensor) -> Tensor:
    """What ``layer`` gives for packed sequences: (patients, places, inputs), lengths (patients,), to (..., outputs).

    One layer of cells in one or both directions. Behind a sequence's end stands what has no meaning; it reaches nothing
    before the end.
    """
    suffixes = ["", "_reverse"] if layer.bidirectional else [""]
    weights, state_weights, bias, state_bias = (
        torch.stack([getattr(layer, f"{name}_l0{suffix}") for suffix in suffixes])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    ways = torch.stack([x, _turned(x, lengths)] if layer.bidirectional else [x]).flatten(1, 2)
    inputs = torch.baddbmm(bias.unsqueeze(1), ways, weights.transpose(1, 2))
    by_step = inputs.view(len(suffixes), *x.shape[:2], -1).movedim(2, 0)
    outputs: Tensor = _Steps.apply(layer.mode, by_step, state_weights, state_bias)[0]  # type: ignore[no-untyped-call]
    first, *second = outputs.movedim(0, 2)
    return torch.cat([first, *(_turned(part, lengths) for part in second)], dim=-1)


def _turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Sequences (patients, places, n) from their end to their start; what is behind the end is that again."""
    places = (lengths.unsqueeze(1) - 1 - torch.arange(x.shape[1])).remainder(x.shape[1])
    return x.gather(1, places.unsqueeze(-1).expand_as(x))


@torch.library.custom_op("medley::recurrent_steps", mutates_args=())
def _forward(cell: str, inputs: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and what is kept for ``_back``."""
    outputs, kept = CELLS[cell].forward(inputs, weights, bias)
    return outputs, kept


@torch.library.custom_op("medley::recurrent_steps_back", mutates_args=())
def _back(cell: str, slope: Tensor, outputs: Tensor, kept: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes by the inputs and by what the state adds to them."""
    given, added = CELLS[cell].back(slope, outputs, kept, weights)
    return given, added


class _Steps(torch.autograd.Function):
    """All steps; under vmap patients are rows (the weights are everybody's)."""

    @staticmethod
    def forward(cell: str, inputs: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        made: tuple[Tensor, Tensor] = _forward(cell, inputs, weights, bias)
        return made

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.cell = inputs[0]
        ctx.save_for_backward(inputs[2], *output)

    @staticmethod
    def vmap(info: Any, dims: Any, cell: str, inputs: Tensor, weights: Tensor, bias: Tensor) -> Any:
        made = _forward(cell, _as_rows(inputs, dims[1], info.batch_size), weights, bias)
        return _as_vmapped(made, info.batch_size)

    @staticmethod
    def backward(ctx: Any, slope: Tensor, _: Tensor) -> Any:
        weights, outputs, kept = ctx.saved_tensors
        given, added = _StepsBack.apply(ctx.cell, slope, outputs, kept, weights)  # type: ignore[no-untyped-call]
        before = torch.cat([torch.zeros_like(outputs[:1]), outputs[:-1]])
        by_weights = torch.einsum("tdbg,tdbh->dgh", added, before)
        return None, given, by_weights, added.sum((0, 2))


class _StepsBack(torch.autograd.Function):
    """The slopes of ``_Steps``; they have none themselves."""

    @staticmethod
    def forward(cell: str, slope: Tensor, outputs: Tensor, kept: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        made: tuple[Tensor, Tensor] = _back(cell, slope, outputs, kept, weights)
        return made

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: Any, output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def vmap(info: Any, dims: Any, cell: str, *values: Tensor) -> Any:
        *rows, weights = values
        sizes = [_as_rows(value, dim, info.batch_size) for value, dim in zip(rows, dims[1:-1], strict=True)]
        return _as_vmapped(_back(cell, *sizes, weights), info.batch_size)


def _as_rows(values: Tensor, dim: int | None, size: int) -> Tensor:
    """Values under vmap, over ``dim`` or all the same, as rows among the patients, the third axis."""
    first = values.expand(size, *values.shape) if dim is None else values.movedim(dim, 0)
    return first.movedim(0, 2).flatten(2, 3)


def _as_vmapped(made: tuple[Tensor, Tensor], size: int) -> tuple[Any, tuple[int, int]]:
    return tuple(value.view(*value.shape[:2], size, -1, value.shape[-1]) for value in made), (2, 2)
