"""Fixed features of a contrast CT: unevenness, bright tissue and asymmetry around the middle of the crop.

Tissue is measured against the patient's own soft tissue, so that a scanner's offset cancels. Air and bone are cut off,
because their edges would drown everything else. The middle counts most: a crop is centred on the organ.
"""

import torch
from torch import Tensor

from shared.encoders.smoothing import centre_weight, gaussian, pyramid, squash

# Typical value and spread of each feature, from invented hospitals (public); none comes from patients.
VOLUME_FEATURES: dict[str, tuple[float, float]] = {
    "bright tissue": (-2.853, 0.425),
    "bright blob, fine": (0.077, 0.035),
    "bright blob, small": (0.039, 0.026),
    "bright blob, medium": (0.017, 0.016),
    "unevenness of bright tissue": (0.020, 0.004),
    "band energy, small": (-4.235, 0.128),
    "band energy, medium": (-4.275, 0.102),
    "gradient": (-4.205, 0.087),
    "asymmetry": (-3.665, 0.390),
    "air": (0.187, 0.024),
}
REACH = 0.28  # of a half side: how far from the middle a place still counts
SIGMAS = (0.8, 1.5, 2.5)  # voxels
SOFT = (0.45, 0.65)  # intensities among which the patient's soft tissue is looked for
BELOW, ABOVE = 0.12, 0.20  # kept around the soft tissue's intensity
FAINT, STEP = 0.05, 0.015  # brighter than soft tissue by this much, and the softness of the limit
DENSE = 0.82  # intensity of cartilage and bone, which are left out with their edges
TINY = 1e-4


def volume_features(volume: Tensor) -> Tensor:
    """Standardised features of one patient: (1, x, y, z) in [0, 1] to (features,), each within (-3, 3)."""
    centres, scales = torch.tensor(list(VOLUME_FEATURES.values())).T
    return squash(raw_volume_features(volume), centres, scales)


def raw_volume_features(volume: Tensor) -> Tensor:
    """The features before standardising, in the order of ``VOLUME_FEATURES``."""
    weight = centre_weight(tuple(volume.shape[1:]), REACH)
    near = weight / weight.max()
    tissue = _relative(volume, near)
    fine, small, medium = pyramid(tissue, SIGMAS)
    bright = _above(small, FAINT) * weight
    spread = (bright * (fine - small) ** 2).sum() / (bright.sum() + TINY)
    values = [
        (bright.sum() + TINY).log(),
        *((level * near).amax() for level in (fine, small, medium)),
        (spread + TINY**2).sqrt(),
        *(_energy(finer - coarser, weight) for finer, coarser in ((fine, small), (small, medium))),
        _gradient(small, weight),
        _energy(small - small.flip(1), weight),
        ((volume < 0.1) * weight).sum(),
    ]
    return torch.stack(values)


def _relative(volume: Tensor, near: Tensor) -> Tensor:
    """Intensity above the patient's own soft tissue near the middle; air cut off, cartilage and bone left out."""
    among = (volume > SOFT[0]) & (volume < SOFT[1]) & (near > 0.1)
    reference = volume[among].median() if among.any() else torch.tensor(sum(SOFT) / 2)
    dense = ((volume - DENSE) / STEP).sigmoid()
    edge = (3 * gaussian(dense, 1.0)).clamp(max=1)
    return (volume - reference).clamp(-BELOW, ABOVE) * (1 - edge)


def _above(tissue: Tensor, limit: float) -> Tensor:
    return ((tissue - limit) / STEP).sigmoid()


def _energy(band: Tensor, weight: Tensor) -> Tensor:
    """Log of the weighted root mean square."""
    return ((band**2 * weight).sum() + TINY**2).sqrt().log()


def _gradient(level: Tensor, weight: Tensor) -> Tensor:
    """Log of the weighted mean length of the gradient."""
    squares = sum((slope**2 for slope in torch.gradient(level, dim=(1, 2, 3))), torch.zeros_like(level))
    return ((squares.sqrt() * weight).sum() + TINY).log()
