"""Contact sheets: of each kind of sketch, patients from mild to severe at two hospitals, as the readers read them."""

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from client.readers import READERS
from client.readers.reading import Case, Source
from client.show.panels import PANELS
from shared.modalities import MODALITIES, Modality
from shared.simulated import LOOKS, Simulation
from simulations.hospitals.chance import stream
from simulations.hospitals.latent import write_table
from simulations.hospitals.writers import WRITERS
from simulations.hospitals.writers.sight import Sight

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = 96
LATENTS, SITES = (-2.0, 0.0, 2.0), ("north", "west")
BOX: dict[str, Any] = {"path": "file", "spacing": [2.0, 2.0, 2.0], "shape": [48, 48, 40], "window": [-160, 240]}
WINDOWS = {"nodule": [-1000, 200], "airway": [-1000, 300], "pet": [0, 12], "mri": [0, 900], "mri-t2": [0, 900],
           "mri-t1": [0, 900]}  # fmt: skip
COLOURED = ("photo", "fundus", "laryngoscopy", "scene")
LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
VITAL = {"heart_rate": [20, 220], "map": [20, 160], "lactate": [0, 25], "creatinine": [0, 15], "platelets": [1, 900]}
PLAIN: dict[str, dict[str, Any]] = {
    "tabular": {"numeric": {"age": {"range": [18, 100], "unit": "years"}, "bmi": {"range": [12, 60]},
                            "crp": {"range": [0, 400]}, "haemoglobin": {"range": [3, 20]}},
                "categorical": {"sex": {"values": ["female", "male"]}}},
    "series": {"variables": {name: {"range": ends} for name, ends in VITAL.items()}, "hours": 24, "steps": 12},
    "signal": {"path": "file", "leads": LEADS, "rate": 250, "seconds": 10},
    "text": {"column": "text"},
    "concepts": {"column": "codes"},
    "bytes": {"path": "file", "length": 784},
    "grid": {"path": "file", "frames": 6, "shape": [1, 32, 32], "range": [0, 60]},
}  # fmt: skip


def example(kind: str, look: str) -> Modality:
    """A modality's section as a study could have it, for one kind of sketch."""
    values = dict(PLAIN.get(kind, {}))
    if kind == "volume":
        values = {**BOX, "window": WINDOWS.get(look, BOX["window"])}
    if kind in ("image", "bag"):
        values = {
            "path": "{patient}/*.png" if kind == "bag" else "file",
            "shape": [3 if look in COLOURED else 1, 96, 96],
        }
    section: Modality = MODALITIES[kind].model_validate({"kind": kind, **values}, strict=False)  # type: ignore[assignment]
    return section


def write_sheets(folder: Path) -> list[Path]:
    """One PNG a kind and look; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for kind in MODALITIES:
        looks = ("laryngoscopy",) if kind == "bag" else LOOKS.get(kind, ("",))
        for look in looks:
            if kind == "image" and look == "laryngoscopy":
                continue  # several pictures a patient: drawn as a bag
            made.append(folder / f"{kind}{f'-{look}' if look else ''}.png")
            _sheet(kind, look, made[-1])
    return made


def _sheet(kind: str, look: str, path: Path) -> None:
    from matplotlib.figure import Figure

    wide = 2.6 if kind == "image" else 5.0
    figure = Figure(figsize=(wide * len(LATENTS), 2.3 * len(SITES)), layout="constrained")
    panels = figure.subplots(len(SITES), len(LATENTS), squeeze=False)
    spec = example(kind, look)
    for line, site in zip(panels, SITES, strict=True):
        for axes, latent in zip(line, LATENTS, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                row, values = invented(spec, look, site, latent, Path(folder))
            PANELS[kind](axes, spec, values, row)
            axes.set_title(f"{site}, {latent:+.0f}", fontsize=7)
    _save(figure, path)


def _save(figure: "Figure", path: Path) -> None:
    """As PNG of few colours, so that a repository can hold them."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=70, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def invented(
    spec: Modality, look: str, site: str, latent: float, folder: Path
) -> tuple[dict[str, str], "np.typing.NDArray[Any]"]:
    """The row and the tensor of one patient who shows this latent at this hospital."""
    content = {"generator": "latent", "separation": {"it": 1.0}, "shift": {"scanner": 1.0}}
    simulation = Simulation.model_validate({**content, "look": {"it": look} if look else {}})
    sight = Sight(
        "it", latent, latent, 1.0, "P1", "P1", 24.0, site, folder, stream("sheet", spec.kind, look, site), simulation
    )
    files = WRITERS[spec.kind](spec, sight)
    row = {"patient_id": "P1", **files.cells}
    for name, rows in files.rows.items():
        write_table(folder / name, rows)
    tensor = READERS[spec.kind](spec, Source(folder)).read(Case("P1", row, 24.0)).tensor
    assert tensor is not None
    return row, tensor.numpy()
