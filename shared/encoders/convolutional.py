"""Small convolutional networks for a volume and for a bag of pictures: about ten thousand parameters."""

from itertools import pairwise

from torch import Tensor, nn

from shared.encoders.base import Encoder, Shape, mean_present, present

VOLUME_CHANNELS = (8, 16, 16)
PICTURE_CHANNELS = (8, 16, 32)
GROUPS = 4


def _stage(convolution: type[nn.Conv2d] | type[nn.Conv3d], inputs: int, outputs: int) -> nn.Sequential:
    """Halve each side; GroupNorm, because a batch's statistics would mix patients."""
    layer = convolution(inputs, outputs, kernel_size=3, stride=2, padding=1, bias=False)
    return nn.Sequential(layer, nn.GroupNorm(GROUPS, outputs), nn.ReLU())


class VolumeCnn(Encoder):
    """Three strided 3-D convolutions, the mean over space, one matrix."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        channels = (shape[0], *VOLUME_CHANNELS)
        self.stages = nn.Sequential(*(_stage(nn.Conv3d, *pair) for pair in pairwise(channels)))
        self.readout = nn.Linear(channels[-1], width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed volumes in [0, 1]: (patients, 1, x, y, z) to (patients, width)."""
        embedding: Tensor = self.readout(self.stages(x).flatten(2).mean(-1))
        return embedding


class BagCnn(Encoder):
    """Three strided 2-D convolutions on each picture, the mean over space and over the pictures, one matrix."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.width = width
        channels = (shape[1], *PICTURE_CHANNELS)
        self.stages = nn.Sequential(*(_stage(nn.Conv2d, *pair) for pair in pairwise(channels)))
        self.readout = nn.Linear(channels[-1], width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed bags in [0, 1]: (patients, items, channels, height, width) to (patients, width)."""
        patients, items = x.shape[:2]
        maps = self.stages(x.reshape(patients * items, *x.shape[2:]))
        pictures = maps.flatten(2).mean(-1).reshape(patients, items, -1)
        embedding: Tensor = self.readout(mean_present(pictures, present(x)))
        return embedding
