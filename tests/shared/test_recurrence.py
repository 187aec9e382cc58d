"""Recurrent steps of our own give what PyTorch's packed layers give, forward and back, for whole batches and patient by
patient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from shared.encoders.recurrence import Layer, outputs_of

LAYERS = [(kind, both) for kind in (nn.LSTM, nn.GRU) for both in (False, True)]


class Ours(nn.Module):
    """Outputs at the places that are there, zero elsewhere."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        there = torch.arange(x.shape[1]) < lengths.unsqueeze(1)
        return torch.where(there.unsqueeze(-1), outputs_of(self.layer, x, lengths), 0.0)


def packed(layer: Layer, x: Tensor, lengths: Tensor) -> Tensor:
    """By PyTorch."""
    sequences = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(layer(sequences)[0], batch_first=True, total_length=x.shape[1])[0]


def sample(kind: type[Layer], both: bool, lengths: list[int]) -> tuple[Layer, Tensor, Tensor]:
    """A layer of double precision, sequences with what is not there at random, and their lengths."""
    torch.manual_seed(0)
    layer = kind(3, 5, batch_first=True, bidirectional=both).double()
    return layer, torch.randn(len(lengths), 7, 3, dtype=torch.float64), torch.tensor(lengths)


@pytest.mark.parametrize(("kind", "both"), LAYERS)
@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_outputs_and_gradients_are_those_of_the_packed_layer(kind: type[Layer], both: bool, lengths: list[int]) -> None:
    layer, x, count = sample(kind, both, lengths)
    slopes = torch.randn(len(lengths), 7, 10 if both else 5, dtype=torch.float64)
    values = [x.requires_grad_(), *layer.parameters()]
    expected, found = packed(layer, x, count), Ours(layer)(x, count)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    wanted, own = (torch.autograd.grad((made * slopes).sum(), values) for made in (expected, found))
    for ours, theirs in zip(own, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("kind", "both"), LAYERS)
def test_each_patients_gradient_is_that_of_a_pass_of_his_own(kind: type[Layer], both: bool) -> None:
    layer, x, lengths = sample(kind, both, [7, 1, 4, 6])
    module = Ours(layer)
    weights = {name: value.detach() for name, value in module.named_parameters()}

    def loss(weights: dict[str, Tensor], x: Tensor, length: Tensor) -> Tensor:
        made: Tensor = functional_call(module, weights, (x.unsqueeze(0), length.unsqueeze(0)))
        return (made * torch.arange(made.numel()).view_as(made)).sin().sum()

    together = vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, lengths)
    for place in range(len(x)):
        alone = grad(loss)(weights, x[place], lengths[place])
        for name, value in alone.items():
            torch.testing.assert_close(together[name][place], value, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("kind", "both"), LAYERS)
def test_what_stands_behind_the_end_changes_nothing(kind: type[Layer], both: bool) -> None:
    layer, x, lengths = sample(kind, both, [3, 5])
    other = torch.where(torch.arange(7).view(1, 7, 1) < lengths.view(2, 1, 1), x, 1e6)
    assert torch.equal(Ours(layer)(x, lengths), Ours(layer)(other, lengths))
