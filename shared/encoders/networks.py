"""MONAI's networks made fit for per-patient gradients: every norm a GroupNorm, nothing random, nothing in place."""

from collections.abc import Callable
from itertools import pairwise
from math import gcd
from typing import Any, cast

from torch import Tensor, nn

from shared.encoders.base import CONVOLUTIONS, Shape

GROUPS = 8
PATCHES = 8  # of a vision transformer, along a side
VGG_CHANNELS = (64, 128, 256, 256, 512, 512, 512, 512)
VGG_POOLED = (0, 1, 3, 5, 7)  # layers followed by a pooling (configuration A of Simonyan and Zisserman, ICLR 2015)


def network(name: str, shape: Shape, outputs: int) -> nn.Module:
    """A network of the list from pictures or volumes (channels, *space) to ``outputs`` numbers."""
    return separable(NETWORKS[name](shape[0], shape[1:], outputs))


def _resnet(layers: list[int], bottleneck: bool = False) -> Callable[[int, Shape, int], nn.Module]:
    def make(channels: int, space: Shape, outputs: int) -> nn.Module:
        from monai.networks.nets.resnet import ResNet

        return cast(
            nn.Module,
            ResNet(
                _blocks()[bottleneck],  # type: ignore[arg-type]
                layers,
                [64, 128, 256, 512],
                spatial_dims=len(space),
                n_input_channels=channels,
                conv1_t_size=7,
                conv1_t_stride=2,
                num_classes=outputs,
            ),
        )

    return make


def _blocks() -> tuple[type[nn.Module], type[nn.Module]]:
    """MONAI's blocks add the residual in place, which per-patient gradients cannot follow."""
    from monai.networks.nets.resnet import ResNetBlock, ResNetBottleneck

    class Block(ResNetBlock):
        """Two convolutions."""

        def forward(self, x: Tensor) -> Tensor:
            residual = x if self.downsample is None else self.downsample(x)
            inner = self.act(self.bn1(self.conv1(x)))
            return self.act(self.bn2(self.conv2(inner)) + residual)  # type: ignore[no-any-return]

    class Bottleneck(ResNetBottleneck):
        """Three convolutions, narrow in the middle."""

        def forward(self, x: Tensor) -> Tensor:
            residual = x if self.downsample is None else self.downsample(x)
            inner = self.act(self.bn2(self.conv2(self.act(self.bn1(self.conv1(x))))))
            return self.act(self.bn3(self.conv3(inner)) + residual)  # type: ignore[no-any-return]

    return Block, Bottleneck


def _densenet(channels: int, space: Shape, outputs: int) -> nn.Module:
    from monai.networks.nets.densenet import DenseNet121

    return cast(nn.Module, DenseNet121(spatial_dims=len(space), in_channels=channels, out_channels=outputs))


def _efficientnet(channels: int, space: Shape, outputs: int) -> nn.Module:
    from monai.networks.nets.efficientnet import EfficientNetBN, MBConvBlock

    made = EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=len(space), in_channels=channels, num_classes=outputs
    )
    made.set_swish(memory_efficient=False)  # the other has a backward pass of its own, which vmap cannot follow
    for block in made.modules():
        if isinstance(block, MBConvBlock):
            block.drop_connect_rate = 0.0
    return cast(nn.Module, made)


def _vit(channels: int, space: Shape, outputs: int) -> nn.Module:
    """A small vision transformer: 6 layers of 192, patches of an eighth of each side (at most 16 pixels)."""
    from monai.networks.nets.vit import ViT

    class Vit(ViT):
        """MONAI's returns the hidden states as well."""

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = super().forward(x)[0]  # type: ignore[no-untyped-call]
            return scores

    patch = tuple(min(16, max(side // PATCHES, 2)) for side in space)
    whole = tuple(side // size * size for side, size in zip(space, patch, strict=True))
    vit = Vit(
        in_channels=channels,
        img_size=whole,
        patch_size=patch,
        hidden_size=192,
        mlp_dim=768,
        num_layers=6,
        num_heads=3,
        classification=True,
        num_classes=outputs,
        post_activation=None,
        spatial_dims=len(space),
    )
    for block in vit.blocks:
        block.norm_cross_attn = nn.Identity()  # MONAI makes it and does not use it: weights that would only be noise
    return nn.Sequential(Cropped(whole), vit)


class Cropped(nn.Module):
    """Cuts the end of each side that is no whole number of patches."""

    def __init__(self, space: Shape) -> None:
        super().__init__()
        self.space = space

    def forward(self, x: Tensor) -> Tensor:
        """(patients, channels, *space) to the same, not larger."""
        for axis, side in enumerate(self.space, start=2):
            x = x.narrow(axis, 0, side)
        return x


def _vgg(channels: int, space: Shape, outputs: int) -> nn.Module:
    """VGG-11 with the mean over space in place of its two layers of 4,096 units; a side of one is not pooled."""
    convolution, pool = ((nn.Conv2d, nn.MaxPool2d), (nn.Conv3d, nn.MaxPool3d))[len(space) - 2]
    layers: list[nn.Module] = []
    sides = space
    for place, pair in enumerate(pairwise((channels, *VGG_CHANNELS))):
        layers += [convolution(*pair, kernel_size=3, padding=1, bias=False), nn.GroupNorm(GROUPS, pair[1]), nn.ReLU()]
        if place in VGG_POOLED:
            layers.append(pool(tuple(min(2, side) for side in sides)))
            sides = tuple(max(side // 2, 1) for side in sides)
    average = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[len(space) - 2]
    return nn.Sequential(*layers, average(1), nn.Flatten(), nn.Linear(VGG_CHANNELS[-1], outputs))


NETWORKS: dict[str, Callable[[int, Shape, int], nn.Module]] = {
    "resnet10": _resnet([1, 1, 1, 1]),
    "resnet18": _resnet([2, 2, 2, 2]),
    "resnet50": _resnet([3, 4, 6, 3], bottleneck=True),
    "densenet121": _densenet,
    "vgg11": _vgg,
    "vit": _vit,
    "efficientnet-b0": _efficientnet,
}


def separable(module: nn.Module) -> nn.Module:
    """Change each layer where it stands: MONAI's ``norm`` and ``act`` arguments reach some of them only."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.GroupNorm(gcd(GROUPS, child.num_features), child.num_features))
        elif isinstance(child, (nn.Dropout, nn.Dropout2d, nn.Dropout3d)):
            setattr(module, name, nn.Identity())
        else:
            if hasattr(child, "inplace"):
                child.inplace = False  # type: ignore[assignment]
            separable(child)
    return module


def last_layer(module: nn.Module) -> str:
    """Name of the linear layer that gives the outputs: no pre-trained file has one for this study."""
    names: list[str] = [name for name, child in module.named_modules() if isinstance(child, nn.Linear)]
    return names[-1]


def first_layer(module: nn.Module) -> str:
    """Name of the convolution that takes the channels."""
    names: list[str] = [name for name, child in module.named_modules() if isinstance(child, CONVOLUTIONS)]
    return names[0]


def own_weights(module: nn.Module) -> list[tuple[str, Any]]:
    """Weights that no layer holds, as a vision transformer's positions."""
    layers = (nn.Linear, nn.GroupNorm, nn.LayerNorm, *CONVOLUTIONS)
    return [
        (name, value)
        for child in module.modules()
        if not isinstance(child, layers)
        for name, value in child.named_parameters(recurse=False)
    ]
