"""Prepares loaded volumes as a study declares: orientation, grid, crop, window, shape and edges, all by MONAI."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from shared.modalities.volume import Volume

EMPTY_MASK = "mask is empty"
Picture = tuple[Tensor, Tensor]  # values (channels, x, y, z) and affine
Prepare = Callable[[Sequence[Picture], Picture | None], Tensor | None]


@lru_cache(maxsize=8)
def prepare(spec: Volume) -> Prepare:
    """The study's fixed preparation, built once; it gives (channels, x, y, z) in [0, 1], None for an empty mask.

    All pictures and the mask are resampled to the grid of the first; where one was not scanned it is its window's
    lower end.
    """
    from monai.data.meta_tensor import MetaTensor
    from monai.transforms.croppad.array import ResizeWithPadOrCrop, SpatialCrop
    from monai.transforms.spatial.array import Orientation, ResampleToMatch, Spacing
    from monai.transforms.utils import generate_spatial_bounding_box

    orient, match = Orientation(axcodes="RAS", labels=None), ResampleToMatch()
    space = Spacing(pixdim=spec.spacing, mode="bilinear", padding_mode="border")
    pad = ResizeWithPadOrCrop(spatial_size=spec.size, mode="constant", value=0.0)
    margin = [round(spec.margin / side) for side in spec.spacing]

    def oriented(picture: Picture) -> Any:
        return orient(MetaTensor(picture[0], affine=picture[1]))

    def matched(picture: Picture, grid: Any, low: Tensor) -> Any:
        return match(oriented((picture[0] - low, picture[1])), grid, padding_mode="zeros") + low

    def cropped(channels: Any, mask: Picture, grid: Any) -> Any:
        inside = match(oriented(mask), grid, mode="nearest", padding_mode="zeros")
        if not bool((inside > 0).any()):
            return None
        begin, end = generate_spatial_bounding_box(inside, lambda values: values > 0, margin=margin, allow_smaller=True)
        return SpatialCrop(roi_start=begin, roi_end=end)(channels)

    def whole(pictures: Sequence[Picture], mask: Picture | None) -> Tensor | None:
        grid = space(oriented(pictures[0]))
        lows = torch.tensor([low for low, _ in spec.windows], dtype=torch.float32).view(len(pictures), -1, 1, 1, 1)
        others = [matched(picture, grid, low) for picture, low in zip(pictures[1:], lows[1:], strict=True)]
        channels: Any = torch.cat([grid, *others]) if others else grid
        channels = channels if mask is None else cropped(channels, mask, grid)
        if channels is None:
            return None
        padded: Any = pad(windowed(channels.as_tensor(), spec))
        plain: Tensor = padded.as_tensor().to(torch.float32)
        return torch.cat([plain, edges(plain)]) if spec.sobel else plain.clone()

    return whole


def windowed(values: Tensor, spec: Volume) -> Tensor:
    """Each channel's window mapped to [0, 1]."""
    from monai.transforms.intensity.array import ScaleIntensityRange

    scales = [ScaleIntensityRange(low, high, 0.0, 1.0, clip=True) for low, high in spec.windows]
    return torch.stack([torch.as_tensor(scale(channel)) for scale, channel in zip(scales, values, strict=True)])


def edges(values: Tensor) -> Tensor:
    """The length of the Sobel gradient of each channel, at most 1: (channels, x, y, z) to the same."""
    from monai.transforms.post.array import SobelGradients

    slopes: Any = SobelGradients(kernel_size=3)(values)  # all channels along x, then along y, then along z
    squares: Tensor = slopes.as_tensor().reshape(3, *values.shape).square().sum(dim=0)
    return squares.sqrt().clamp(max=1)  # as norm(dim=0), which takes sixty times as long
