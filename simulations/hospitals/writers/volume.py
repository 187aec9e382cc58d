"""Writes a patient's volumes as NIfTI files, one for each column that the study reads."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.modalities.volume import Volume
from shared.simulated import LOOKS as KNOWN
from simulations.hospitals.looks import abdomen, breast, neck, nodule, positron
from simulations.hospitals.scanner import MARGIN, Scanner, scanner, stored
from simulations.hospitals.texture import Field
from simulations.hospitals.writers.sight import Files, Sight

if TYPE_CHECKING:
    from pathlib import Path

Render = Callable[[float, Scanner, int, np.random.Generator], list[Field]]
LOOKS: dict[str, Render] = {
    "neck": neck.render,
    "airway": neck.render_airway,
    "nodule": nodule.render,
    "pet": positron.render,
    "mri": breast.render,
    "mri-t2": breast.render_t2,
    "mri-t1": breast.render_t1,
    "abdomen": abdomen.render,
}
EXTENTS = {"neck": neck.FIELD_OF_VIEW, "airway": neck.FIELD_OF_VIEW}


def write_volume(spec: Volume, sight: Sight) -> Files:
    """A file for each path of the study, on one grid."""
    columns = (spec.path,) if isinstance(spec.path, str) else tuple(spec.path)
    look = sight.look or KNOWN["volume"][0]
    extent = EXTENTS.get(look) or [MARGIN * step * side for step, side in zip(spec.spacing, spec.size, strict=True)]
    machine = scanner(sight.site, extent, spec.spacing, sight.scanner)
    cells = {}
    painted = LOOKS[look](sight.latent, machine, len(columns), sight.rng)
    for column, picture in zip(columns, painted, strict=True):
        cells[column] = f"{sight.name}/{sight.unit}{f'-{column}' if len(columns) > 1 else ''}.nii.gz"
        _save(sight.place(cells[column]), *stored(picture, machine, look == "pet" and picture is painted[0], sight.rng))
    return Files(cells)


def _save(path: "Path", volume: NDArray[np.generic], affine: NDArray[np.float64]) -> None:
    import nibabel

    image = nibabel.Nifti1Image(volume, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    nibabel.save(image, path)
