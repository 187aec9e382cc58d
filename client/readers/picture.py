"""Loads one picture as a tensor: PNG, JPEG or DICOM, of 8 or 16 bits, grey, palette or colour."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from shared.modalities.bag import Bag
from shared.modalities.image import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

UNREADABLE = "picture is truncated or not readable"
NO_PIXELS = "DICOM file has no picture"
HUGE = "picture has more than 89 million pixels"
LARGEST = 89_478_485  # pixels, Pillow's own bound
OWN_WINDOW = ("WindowCenter", "WindowWidth")
COLOURS = {1: "L", 3: "RGB"}
Window = tuple[float, float]


def load_picture(path: Path, spec: Image | Bag) -> Tensor | str:
    """A picture (channels, height, width) in [0, 1], or the rule that its file breaks; may raise for a bad file."""
    channels, height, width = spec.size
    with path.open("rb") as file:
        found = _dicom(path, spec.window) if file.read(132)[128:] == b"DICM" else _common(path, spec.window)
    if isinstance(found, str):
        return found
    grey = found.mode == "F"
    picture = (found if grey else found.convert(COLOURS[channels])).resize((width, height), resample=2)  # bilinear
    values = np.asarray(picture, dtype=np.float32).reshape(height, width, -1) / (1 if grey else 255)
    tensor = torch.from_numpy(values).permute(2, 0, 1)
    return tensor.expand(channels, height, width).contiguous()


def _common(path: Path, window: Window | None) -> "Pixels":
    """A PNG or JPEG file as colours or palette of 8 bits, or as floats in [0, 1] where it has 16."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    with Pillow.open(path, formats=("PNG", "JPEG")) as image:
        image.load()
        turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):
        return _scaled(np.asarray(turned, dtype=np.float32), window or (0.0, 65535.0))
    return turned


def _dicom(path: Path, window: Window | None) -> "Pixels | str":
    """The first frame of a DICOM file; grey values after their rescale slope and window, as floats in [0, 1]."""
    import pydicom
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    data = pydicom.dcmread(path)
    if not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & set(data.dir()):
        return NO_PIXELS
    if int(data.Rows) * int(data.Columns) > LARGEST:
        return HUGE
    frame = pixel_array(data, index=0)
    meaning = data.PhotometricInterpretation
    if meaning == "PALETTE COLOR":
        frame = apply_color_lut(frame, data)
        return _colours(frame, 8 * frame.itemsize)
    if frame.ndim == 3:
        return _colours(frame, int(data.BitsStored))
    values = apply_modality_lut(frame, data).astype(np.float32)
    low, high = window or _own_window(data, values)
    return _scaled(-values, (-high, -low)) if meaning == "MONOCHROME1" else _scaled(values, (low, high))


def _own_window(data: Any, values: Any) -> Window:
    """The file's first window; without one its lowest and highest value."""
    center, span = (np.atleast_1d(np.array(data.get(key, np.nan), dtype=float))[0] for key in OWN_WINDOW)
    if not (np.isfinite(center) and span > 0):
        return float(values.min()), float(values.max())
    return float(center - span / 2), float(center + span / 2)


def _scaled(values: Any, window: Window) -> "Pixels":
    from PIL import Image as Pillow

    low, high = window
    return Pillow.fromarray(np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32))


def _colours(frame: Any, bits: int) -> "Pixels":
    from PIL import Image as Pillow

    return Pillow.fromarray((frame.astype(np.float32) * (255 / (2**bits - 1))).round().astype(np.uint8), mode="RGB")
