"""Small convolutional networks for a picture, a volume and a bag of pictures: about ten thousand parameters."""

from itertools import pairwise

from torch import Tensor, nn

from shared.encoders.base import Encoder, Spec, mean_present, present

VOLUME_CHANNELS = (8, 16, 16)
PICTURE_CHANNELS = (8, 16, 32)
GROUPS = 4
Convolution = type[nn.Conv2d] | type[nn.Conv3d]


def _stage(convolution: Convolution, inputs: int, outputs: int) -> nn.Sequential:
    """Halve each side; GroupNorm, because a batch's statistics would mix patients."""
    layer = convolution(inputs, outputs, kernel_size=3, stride=2, padding=1, bias=False)
    return nn.Sequential(layer, nn.GroupNorm(GROUPS, outputs), nn.ReLU())


class Cnn(Encoder):
    """Three strided convolutions, the mean over space, one matrix."""

    def __init__(self, convolution: Convolution, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.width = width
        self.stages = nn.Sequential(*(_stage(convolution, *pair) for pair in pairwise(channels)))
        self.readout = nn.Linear(channels[-1], width)

    def features(self, x: Tensor) -> Tensor:
        """The last maps' means over space: (patients, channels, *space) to (patients, features)."""
        maps: Tensor = self.stages(x)
        return maps.flatten(2).mean(-1)

    def forward(self, x: Tensor) -> Tensor:
        """Embed pictures or volumes in [0, 1]: (patients, channels, *space) to (patients, width)."""
        embedding: Tensor = self.readout(self.features(x))
        return embedding


class ImageCnn(Cnn):
    """Two-dimensional."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.Conv2d, (spec.shape[0], *PICTURE_CHANNELS), spec.width)


class VolumeCnn(Cnn):
    """Three-dimensional."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.Conv3d, (spec.shape[0], *VOLUME_CHANNELS), spec.width)


class BagCnn(Cnn):
    """Two-dimensional on each picture, then the mean over the pictures that are there."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(nn.Conv2d, (spec.shape[1], *PICTURE_CHANNELS), spec.width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed bags in [0, 1]: (patients, items, channels, height, width) to (patients, width)."""
        patients, items = x.shape[:2]
        pictures = self.features(x.reshape(patients * items, *x.shape[2:])).reshape(patients, items, -1)
        embedding: Tensor = self.readout(mean_present(pictures, present(x)))
        return embedding
