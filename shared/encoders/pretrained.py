"""Weights from a file on the hospital's disk, fitted to a network; what does not fit is told, never skipped."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from shared.encoders.networks import first_layer, last_layer
from shared.errors import Problem, RunError, SiteError

NAMES = ("model.safetensors", "pytorch_model.bin", "model.pt", "model.pth")  # looked for in a folder, in this order
NOT_ATTACHED = "the encoder's pre-trained weights were not loaded before it was used"
DENSE_LAYER = re.compile(r"(denselayer\d+)\.(norm|conv)")  # torchvision's name of what MONAI calls layers.norm


def read_weights(path: Path) -> dict[str, Tensor]:
    """Named tensors of a file of safetensors or of PyTorch, or of the one that a folder holds; nothing is executed."""
    if path.is_dir():
        found = [path / name for name in NAMES if (path / name).is_file()]
        if not found:
            raise unfit(f"the folder holds none of {', '.join(NAMES)}")
        path = found[0]
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            values = load_file(path)
        else:
            values = torch.load(path, map_location="cpu", weights_only=True)
            values = values.get("state_dict", values)
        return {str(name): value.float() for name, value in values.items() if isinstance(value, Tensor)}
    except Exception:  # the libraries raise many kinds, with texts that show the path
        raise unfit("is no readable file of weights (safetensors, or a PyTorch state dict)") from None


def fitted(values: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The file's weights by the network's names, without its last layer, which is of another task.

    A norm's scale and shift are kept, its batch statistics are not. Other input channels than the file's get the mean
    of the file's, so that a grey picture gives what its copy in every channel gave.
    """
    values = {DENSE_LAYER.sub(r"\1.layers.\2", name.removeprefix("module.")): value for name, value in values.items()}
    first, last = first_layer(network), last_layer(network)
    base, faults = {}, []
    for name, parameter in network.named_parameters():
        if name.startswith(f"{last}."):
            continue
        value = values.get(name)
        if value is not None and name == f"{first}.weight" and value.shape[1] != parameter.shape[1]:
            value = value.mean(1, keepdim=True).expand_as(parameter) * (value.shape[1] / parameter.shape[1])
        if value is None or value.shape != parameter.shape:
            faults.append(name)
        else:
            base[name] = value.contiguous()
    if faults:
        raise unfit(f"lacks {len(faults)} of the network's weights, or has them in another shape: first {faults[0]}")
    return base


class Difference:
    """Pre-trained weights of a network whose trained parameters are their difference from the file's.

    The difference starts at zero and is all that travels; the file's weights are no parameters.
    """

    def __init__(self, network: nn.Module) -> None:
        self._names = [name for name, _ in _kept(network)]
        self._base: dict[str, Tensor] = {}

    def load(self, base: Mapping[str, Tensor]) -> None:
        """Take the file's weights."""
        self._base = {name: base[name] for name in self._names}

    def applied(self, network: nn.Module, x: Tensor) -> Tensor:
        """The network's outputs with the sum of both."""
        if self._names and not self._base:
            raise RunError(NOT_ATTACHED)
        parameters = dict(network.named_parameters())
        summed = {name: parameters[name] + value for name, value in self._base.items()}
        outputs: Tensor = torch.func.functional_call(network, summed, (x,))
        return outputs

    @staticmethod
    def start(network: nn.Module) -> None:
        """No difference; the last layer keeps its start."""
        for _, value in _kept(network):
            nn.init.zeros_(value)


def _kept(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    last = last_layer(network)
    return ((name, value) for name, value in network.named_parameters() if not name.startswith(f"{last}."))


def unfit(rule: str) -> SiteError:
    """The hospital's pre-trained file cannot be used."""
    return SiteError([Problem("site.toml", "weights", rule, "name the file that the study's digest is of")])
