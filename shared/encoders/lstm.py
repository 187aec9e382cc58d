"""Steps of long short-term memory for a whole batch, forward and back, in as few operations a step as it takes.

Hochreiter and Schmidhuber 1997, with a forget gate; gates in PyTorch's order. One axis holds the directions, which
have weights of their own and run side by side.
"""

import torch
from torch import Tensor


def forward(inputs: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """What comes out, (steps, directions, patients, hidden), and what ``back`` needs of it, (..., 7 * hidden).

    Of the inputs' part of the gates (steps, directions, patients, 4 * hidden), the hidden state's weights
    (directions, 4 * hidden, hidden) and bias (directions, 4 * hidden).
    """
    size, across = weights.shape[-1], weights.transpose(1, 2)
    gates = inputs + bias.unsqueeze(1)
    outputs = inputs.new_empty(*inputs.shape[:3], size)
    kept = inputs.new_empty(*inputs.shape[:3], 7 * size)
    soft, bent, cells, shown = torch.split(kept, [4 * size, size, size, size], dim=-1)
    into, forget, _, out = soft.chunk(4, dim=-1)
    state = memory = torch.zeros_like(outputs[0])
    parts = (gates, gates[..., 2 * size : 3 * size], soft, bent, cells, shown, outputs, into, forget, out)
    for gate, change, opened, new, cell, seen, output, i, f, o in zip(*(part.unbind() for part in parts), strict=True):
        gate.baddbmm_(state, across)
        torch.sigmoid(gate, out=opened)
        torch.tanh(change, out=new)
        memory = torch.mul(f, memory, out=cell).addcmul_(i, new)
        state = torch.mul(o, torch.tanh(memory, out=seen), out=output)
    return outputs, kept


def back(slope: Tensor, outputs: Tensor, kept: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The loss's slope by the gates' inputs and by what the state adds to them, which are the same.

    Of its ``slope`` by the outputs and what ``forward`` gave; each (steps, directions, patients, 4 * hidden).
    """
    i, f, _, o, new, cell, seen = kept.chunk(7, dim=-1)
    before = torch.cat([torch.zeros_like(cell[:1]), cell[:-1]])
    by_memory = torch.stack([new * i * (1 - i), before * f * (1 - f), i * (1 - new * new)], dim=-2)
    by_state, to_memory = seen * o * (1 - o), o * (1 - seen * seen)
    found = slope.new_empty(*slope.shape[:3], 4, slope.shape[-1])
    carried = later = torch.zeros_like(slope[0])  # of the memory, and of the state, by what comes after
    parts = (slope, by_memory, by_state, to_memory, f, found.flatten(-2), found[..., :3, :], found[..., 3, :])
    for above, inner, outer, through, forget, gates, three, last in zip(
        *(part.unbind()[::-1] for part in parts), strict=True
    ):
        state = above + later
        memory = torch.addcmul(carried, state, through)
        torch.mul(inner, memory.unsqueeze(-2), out=three)
        torch.mul(state, outer, out=last)
        carried, later = memory * forget, torch.bmm(gates, weights)
    return found.flatten(-2), found.flatten(-2).clone()  # an operation's results may not share memory
