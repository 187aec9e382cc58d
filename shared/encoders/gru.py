"""Steps of gated recurrent units for a whole batch, forward and back: as few operations a step as there are.

Cho et al. 2014 in PyTorch's form, with the reset gate behind the matrix. One axis holds the directions, as in ``lstm``.
"""

import torch
from torch import Tensor


def forward(inputs: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """What comes out, (steps, directions, patients, hidden), and what ``back`` needs of it, (..., 6 * hidden).

    Of the inputs' part (steps, directions, patients, 3 * hidden), the hidden state's weights
    (directions, 3 * hidden, hidden) and bias (directions, 3 * hidden).
    """
    size, across, shift = weights.shape[-1], weights.transpose(1, 2), bias.unsqueeze(1)
    outputs = inputs.new_empty(*inputs.shape[:3], size)
    kept = inputs.new_empty(*inputs.shape[:3], 6 * size)
    gates, new, added = torch.split(kept, [2 * size, size, 3 * size], dim=-1)
    r, z = gates.chunk(2, dim=-1)
    ready, change = torch.split(inputs, [2 * size, size], dim=-1)
    own, inner = torch.split(added, [2 * size, size], dim=-1)
    state = torch.zeros_like(outputs[0])
    parts = (added, ready, own, gates, change, r, inner, new, z, outputs)
    for every, before, within, gate, raw, reset, reached, n, update, output in zip(
        *(part.unbind() for part in parts), strict=True
    ):
        torch.baddbmm(shift, state, across, out=every)
        torch.add(before, within, out=gate).sigmoid_()
        torch.addcmul(raw, reset, reached, out=n).tanh_()
        state = torch.lerp(n, state, update, out=output)
    return outputs, kept


def back(slope: Tensor, outputs: Tensor, kept: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The loss's slope by the inputs and by what the state adds, each (steps, directions, patients, 3 * hidden).

    Of its ``slope`` by the outputs and what ``forward`` gave.
    """
    r, z, new, _, _, inner = kept.chunk(6, dim=-1)
    before = torch.cat([torch.zeros_like(outputs[:1]), outputs[:-1]])
    by_new = (1 - z) * (1 - new * new)
    by_reset, by_update = by_new * inner * r * (1 - r), (before - new) * z * (1 - z)
    factors = torch.stack([by_reset, by_update, by_new * r], dim=-2)
    states, added = torch.empty_like(slope), torch.empty_like(factors)
    later = torch.zeros_like(slope[0])  # of the state, by what comes after
    parts = (slope, states, states.unsqueeze(-2), factors, added, added.flatten(-2), z)
    for above, state, beside, factor, found, flat, update in zip(*(part.unbind()[::-1] for part in parts), strict=True):
        torch.add(above, later, out=state)
        torch.mul(beside, factor, out=found)
        later = torch.baddbmm(state * update, flat, weights)
    given = states.unsqueeze(-2) * torch.stack([by_reset, by_update, by_new], dim=-2)
    return given.flatten(-2), added.flatten(-2)
