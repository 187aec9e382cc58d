"""A three-dimensional picture: tomography as NIfTI files or folders of DICOM slices, one or several a patient."""

from typing import Literal

from pydantic import Field, model_validator

from shared.modalities.base import Input
from shared.modalities.networks import Network
from shared.modalities.weights import Digest
from shared.sections import Positive, duplicates

Window = tuple[float, float]


class Volume(Input):
    """A patient is (channels, *shape) in [0, 1]: resampled to ``spacing`` (mm), cropped, and padded or cropped to
    ``shape`` (voxels, to the right, front and top of the patient); ``window`` (HU of a CT) is mapped to [0, 1].

    Several columns of ``path`` are channels on the grid of the first, as PET and CT, or sequences of an MRI. With
    ``sobel`` the edges of every channel follow as channels of their own. ``crop`` keeps the box around a mask (a file)
    or a declared box (six whole numbers: the first voxel and the one after the last, in the first file's own axes),
    and ``margin`` (mm) around it.
    """

    kind: Literal["volume"]
    encoder: Literal["filters", "wavelets", "cnn", "network"] = "filters"
    width: int = Field(default=1, ge=1, le=256)
    network: Network = "resnet10"  # of encoder "network"
    weights: Digest | None = None  # its pre-trained file
    path: str | tuple[str, ...] = Field(min_length=1)  # columns of patients.csv with a path inside the site's folder
    channels: int = Field(default=1, ge=1, le=64)  # of each file; more than one where it has four dimensions
    spacing: tuple[Positive, Positive, Positive]
    size: tuple[int, int, int] = Field(alias="shape")
    window: Window | tuple[Window, ...]  # one, or one a channel
    sobel: bool = False
    crop: Literal["center", "mask", "box"] = "center"
    crop_by: str = ""  # column of patients.csv with the mask's path, or with the box
    margin: float = Field(default=0.0, ge=0, le=1000)

    @model_validator(mode="after")
    def _sensible(self) -> "Volume":
        if not all(8 <= side <= 512 for side in self.size):
            raise ValueError(f"shape must be three sides of 8 to 512 voxels, got {list(self.size)}")
        if not all(self.paths) or (twice := duplicates(self.paths)):
            raise ValueError("path must name different columns" + (f", got {', '.join(twice)} again" if twice else ""))
        if (self.crop == "center") != (not self.crop_by) or (self.crop == "center" and self.margin):
            raise ValueError('crop "mask" or "box" needs crop_by; crop_by and margin need one of the two')
        return self

    @model_validator(mode="after")
    def _windows(self) -> "Volume":
        if len(self.windows) != self.pictures:
            raise ValueError(f"window must be one, or one for each of {self.pictures} channels")
        if wrong := [list(window) for window in self.windows if not window[0] < window[1]]:
            raise ValueError(f"window must be [low, high] with low < high, got {wrong[0]}")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Columns with the files' paths."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def pictures(self) -> int:
        """Channels that come from the files."""
        return len(self.paths) * self.channels

    @property
    def windows(self) -> tuple[Window, ...]:
        """Each channel's window."""
        low, high = self.window[0], self.window[-1]
        if isinstance(low, float) and isinstance(high, float):
            return ((low, high),) * self.pictures
        return tuple(window for window in self.window if isinstance(window, tuple))

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return [*self.paths, *([self.crop_by] if self.crop_by else [])]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one patient: (channels, x, y, z)."""
        return (self.pictures * (2 if self.sobel else 1), *self.size)
