"""MONAI's 3-D ResNet-10 made fit for per-patient gradients: 14.4 million parameters, for studies without privacy."""

from typing import cast

from torch import Tensor, nn

from shared.encoders.base import Encoder, Shape

GROUPS = 8


class Resnet10(Encoder):
    """(patients, 1, x, y, z) in [0, 1] to (patients, width); every BatchNorm is a GroupNorm, nothing is in place."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        self.network = _network(shape[0], width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed volumes: (patients, 1, x, y, z) to (patients, width)."""
        embedding: Tensor = self.network(x)
        return embedding


def _network(channels: int, width: int) -> nn.Module:
    from monai.networks.nets.resnet import ResNet, ResNetBlock

    class Block(ResNetBlock):
        """MONAI's block adds the residual in place, which per-patient gradients cannot follow."""

        def forward(self, x: Tensor) -> Tensor:
            residual = x if self.downsample is None else cast(nn.Module, self.downsample)(x)
            inner = self.act(self.bn1(self.conv1(x)))
            out: Tensor = self.act(self.bn2(self.conv2(inner)) + residual)
            return out

    network = ResNet(
        Block,
        [1, 1, 1, 1],
        [64, 128, 256, 512],
        n_input_channels=channels,
        conv1_t_size=7,
        conv1_t_stride=2,
        num_classes=width,
    )
    _make_separable(network)
    return network


def _make_separable(module: nn.Module) -> None:
    """MONAI's ``norm`` and ``act`` arguments reach the stem only, so each layer is changed where it stands."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            child.inplace = False
        elif isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.GroupNorm(GROUPS, child.num_features))
        else:
            _make_separable(child)
