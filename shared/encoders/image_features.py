"""Fixed features of an endoscopic picture: whitish and red tissue, unevenness at several scales, darkness.

Colours are measured against the picture's own mucosa, so that a camera's brightness and tint cancel mostly.
"""

import torch
from torch import Tensor

from shared.encoders.smoothing import gaussian, pyramid, squash

# Typical value and spread of each feature, from invented hospitals (public); none comes from patients.
IMAGE_FEATURES: dict[str, tuple[float, float]] = {
    "brightness": (0.398, 0.032),
    "dark": (0.067, 0.036),
    "whitish": (-1.373, 0.091),
    "whitish blob, medium": (0.931, 0.042),
    "whitish blob, large": (0.701, 0.080),
    "red blob, medium": (0.488, 0.141),
    "bright blob, medium": (1.564, 0.105),
    "bright blob, large": (1.330, 0.087),
    "unevenness of whitish": (-1.245, 0.158),
    "band energy, fine": (-2.601, 0.064),
    "band energy, coarse": (-2.094, 0.082),
}
SIGMAS = (0.7, 1.5, 3.0, 6.0)  # pixels of a picture 64 wide; grows with the picture
LENS = 0.12  # brightness under which a place is outside the lens' circle or in the dark
WHITISH, RED, STEP = -0.045, 0.035, 0.01  # less or more red than the mucosa, and the softness of the limit
TINY = 1e-4


def image_features(image: Tensor) -> Tensor:
    """Standardised features of one picture: (channels, height, width) in [0, 1] to (features,), each in (-3, 3)."""
    centres, scales = torch.tensor(list(IMAGE_FEATURES.values())).T
    return squash(raw_image_features(image), centres, scales)


def raw_image_features(image: Tensor) -> Tensor:
    """The features before standardising, in the order of ``IMAGE_FEATURES``; a grey picture has no redness."""
    colour = image if image.shape[0] == 3 else image[:1].expand(3, -1, -1)
    unit = colour.shape[-1] / 64
    smooth = pyramid(colour, tuple(sigma * unit for sigma in SIGMAS))
    light = [level.mean(0) for level in smooth]
    lit = ((light[1] - LENS) / 0.03).sigmoid()
    area = lit.sum() + TINY
    typical = (light[1] * lit).sum() / area
    red = [_redness(level) for level in smooth]
    among = red[1][lit > 0.5]
    mucosa = among.median() if among.numel() else torch.tensor(0.5)
    tint = [(level - mucosa) * lit for level in red]
    pale = ((WHITISH - tint[1]) / STEP).sigmoid() * lit
    redder = ((tint[1] - RED) / STEP).sigmoid() * lit
    relative = [level * lit / typical for level in light]
    blurred = [level[0] for level in pyramid(pale.unsqueeze(0), (3.0 * unit, 6.0 * unit))]
    near_pale = blurred[0] ** 2
    values = [
        typical,
        (_share(1 - lit) * _inner(lit)).sum(),
        (pale.sum() / area + TINY).log(),
        *(level.amax() for level in blurred),
        gaussian(redder.unsqueeze(0), 2.5 * unit).amax(),
        relative[2].amax(),
        relative[3].amax(),
        _energy(relative[0] - relative[2], near_pale * lit, (near_pale * lit).sum() + TINY),
        *(_energy(relative[k] - relative[k + 1], lit, area) for k in (0, 2)),
    ]
    return torch.stack(values)


def _redness(colour: Tensor) -> Tensor:
    """Red's share of the light: (3, height, width) to (height, width), between 0 and 1."""
    return (colour[0] + TINY) / (colour.sum(0) + 3 * TINY)


def _share(mask: Tensor) -> Tensor:
    return mask / mask.numel()


def _inner(mask: Tensor) -> Tensor:
    """One within the middle half of the picture, where darkness is the open glottis and not the lens' edge."""
    height, width = mask.shape
    inner = torch.zeros_like(mask)
    inner[height // 4 : -(height // 4), width // 4 : -(width // 4)] = 4.0
    return inner


def _energy(band: Tensor, lit: Tensor, area: Tensor) -> Tensor:
    """Log of the root mean square over what is lit."""
    return ((band**2 * lit).sum() / area + TINY**2).sqrt().log()
