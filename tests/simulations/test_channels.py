"""Every modality's files carry what the truth says: a plain statistic of the files gives the latent back."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from shared.modalities.bag import Bag
from shared.modalities.concepts import Concepts
from shared.modalities.grid import Grid
from shared.modalities.image import Image
from shared.modalities.payload import Payload
from shared.modalities.series import Series
from shared.modalities.signal import Signal
from shared.modalities.tabular import Numeric
from shared.modalities.text import Text
from shared.modalities.volume import Volume
from shared.simulated import Simulation
from simulations.hospitals.phrases import BANKS
from simulations.hospitals.writers import WRITERS
from simulations.hospitals.writers.concepts import TELLING
from simulations.hospitals.writers.sight import Files, Sight

Row = npt.NDArray[np.float64]
GAP, LOST = 1.5, 0.08  # separation, and the share of it that a plain statistic may lose
LEARNED, KEPT = 110, 60  # patients that the statistic is fitted on, and measured on
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
VARIABLES = {"heart_rate": (20.0, 220.0), "lactate": (0.0, 25.0), "platelets": (1.0, 900.0), "map": (20.0, 160.0)}


def quantiles(picture: npt.NDArray[Any]) -> Row:
    return np.quantile(picture, (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98))


def of_picture(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    """Quantiles of each colour, and of the middle: what lies there is darker or brighter than what is around it."""
    from PIL import Image as Picture

    names = sorted(folder.glob(spec.path.replace("{patient}", patient)))
    pictures = [np.asarray(Picture.open(name), dtype=np.float64) for name in names]
    whole = np.mean([colours(picture) for picture in pictures], axis=0)
    return np.asarray(whole)


def colours(picture: npt.NDArray[Any]) -> Row:
    stack = picture.reshape(*picture.shape[:2], -1)
    side = len(stack)
    middle = stack[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4]
    spots = (stack - stack.mean(axis=(0, 1))).std(axis=(0, 1))
    return np.concatenate([*(quantiles(middle[..., k]) for k in range(stack.shape[2])), stack.mean(axis=(0, 1)), spots])


def of_radiograph(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    from pydicom import dcmread

    return colours(dcmread(folder / files.cells["film"]).pixel_array.astype(np.float64))


def of_volume(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    import nibabel

    found = []
    for column in files.cells:
        volume = np.clip(np.asarray(nibabel.load(folder / files.cells[column]).dataobj, dtype=np.float64), -1000, 1500)
        volume = np.log1p(np.maximum(volume, 0)) if column == "pet" else volume
        x, y, z = (side // 4 for side in volume.shape)
        middle = volume[x:-x, y:-y, z:-z]
        found += [quantiles(middle), [middle.mean(), middle.std()]]
    return np.concatenate(found)


def of_airway(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    """How much air the middle holds, in parts of voxels."""
    import nibabel

    volume = np.asarray(nibabel.load(folder / files.cells["ct"]).dataobj, dtype=np.float64)
    x, y, z = (side // 3 for side in volume.shape)
    air = np.clip((-200 - volume[x:-x, y:-y, z:-z]) / 800, 0, 1).mean()
    return np.array([np.log(air), np.sqrt(air)])


def of_signal(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    """ST level, T height, R height and rate of the mean beat."""
    import wfdb

    record = wfdb.rdrecord(str(folder / files.cells["ecg"]))
    wave, rate = record.p_signal - np.median(record.p_signal, axis=0), record.fs
    lead = wave[:, 10]
    peaks = np.flatnonzero((lead[1:-1] > 0.5) & (lead[1:-1] >= lead[:-2]) & (lead[1:-1] > lead[2:])) + 1
    peaks = peaks[(peaks > 0.3 * rate) & (peaks < len(lead) - 0.45 * rate)]
    beat = np.mean([wave[p - int(0.3 * rate) : p + int(0.45 * rate)] for p in peaks], axis=0)
    at = [int((0.3 + second) * rate) for second in (0.1, 0.15, 0.2, 0.28)]
    return np.concatenate([beat[at][:, [8, 9, 10, 11]].ravel()[::2], [beat[:, 10].max(), len(peaks)]])


def of_series(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    rows = [row for row in files.rows["labs.csv"] if float(row["time"]) <= 24]
    means = []
    for name, (low, high) in VARIABLES.items():
        values = [float(row["value"]) for row in rows if row["variable"] == name]
        means += [np.mean(values) if values else (low + high) / 2, float(not values)]
    return np.array(means)


def of_text(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    """The mean grade of the findings that are mentioned."""
    text = files.cells["note"]
    grades = [
        grade
        for steps in BANKS["ct-report"].findings
        for grade, words in enumerate(steps)
        if any(sentence in text for sentence in words.split("|"))
    ]
    return np.array([np.mean(grades), float(np.sum(grades))])


def of_concepts(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    return np.array([float(len(set(TELLING) & set(files.cells["codes"].split())))])


def of_bytes(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    payload = (folder / files.cells["payload"]).read_bytes()
    high = sum(count for byte, count in Counter(payload).items() if byte > 127)
    return np.array([high / len(payload), (high / len(payload)) ** 2])


def of_grid(spec: Any, files: Files, folder: Path, patient: str) -> Row:
    field = np.load(folder / files.cells["radar"])
    return np.concatenate([quantiles(field), [field.mean(), field[-1].max(), np.log(field[-1].mean())]])


def image(path: str, colour: int = 3) -> Image:
    return Image(kind="image", path=path, shape=(colour, 64, 64))


def volume(*paths: str) -> Volume:
    box = {"spacing": (2.5, 2.5, 2.5), "shape": (24, 24, 24), "window": (-1000.0, 400.0)}
    spec = Volume(kind="volume", path=paths[0], **box)
    return spec.model_copy(update={"path": paths if len(paths) > 1 else paths[0]})


SERIES = Series(
    kind="series", variables={name: Numeric(range=ends) for name, ends in VARIABLES.items()}, hours=24.0, steps=6
)
CASES: dict[str, tuple[Any, str, Callable[[Any, Files, Path, str], Row]]] = {
    "ultrasound": (image("{patient}.png", 1), "ultrasound", of_picture),
    "muscle": (image("{patient}.png", 1), "muscle", of_picture),
    "kidney": (image("{patient}.png", 1), "kidney", of_picture),
    "fundus": (image("{patient}.png"), "fundus", of_picture),
    "photo": (image("{patient}.png"), "photo", of_picture),
    "scene": (image("{patient}.png"), "scene", of_picture),
    "dental": (image("film", 1), "dental", of_radiograph),
    "radiograph": (image("film", 1), "radiograph", of_radiograph),
    "bag": (Bag(kind="bag", path="b/{patient}/*.png", shape=(1, 48, 48)), "ultrasound", of_picture),
    "nodule": (volume("ct"), "nodule", of_volume),
    "pet": (volume("pet", "low_dose_ct"), "pet", of_volume),
    "airway": (volume("ct"), "airway", of_airway),
    "abdomen": (volume("ct"), "abdomen", of_volume),
    "mri-t2": (volume("t2"), "mri-t2", of_volume),
    "mri": (volume("t2", "t1", "early", "late"), "mri", of_volume),
    "signal": (Signal(kind="signal", path="ecg", leads=LEADS, rate=100.0, seconds=10.0), "", of_signal),
    "series": (SERIES, "", of_series),
    "text": (Text(kind="text", column="note"), "ct-report", of_text),
    "concepts": (Concepts(kind="concepts", column="codes"), "", of_concepts),
    "bytes": (Payload(kind="bytes", path="payload"), "", of_bytes),
    "grid": (Grid(kind="grid", path="radar", frames=6, shape=(1, 24, 24), range=(0.0, 60.0)), "", of_grid),
}


def statistics(case: str, folder: Path) -> tuple[Row, Row]:
    """Latents (patients,) and what is measured of their files (patients, statistics)."""
    spec, look, measure = CASES[case]
    simulation = Simulation.model_validate({"generator": "latent", "separation": {"it": GAP}})
    simulation = simulation.model_copy(update={"look": {"it": look} if look else {}})
    latents, found = [], []
    for number in range(LEARNED + KEPT):
        rng = np.random.default_rng([3, number])
        severity = rng.choice((-0.5, 0.5))
        latent = GAP * severity + rng.standard_normal()
        patient = f"P{number}"
        sight = Sight("it", latent, severity, 0.5, patient, patient, 24.0, "north", folder, rng, simulation)
        files = WRITERS[spec.kind](spec, sight)
        latents.append(latent)
        found.append(measure(spec, files, folder, patient))
    return np.array(latents), np.array(found)


def kept_separation(latents: Row, found: Row) -> float:
    """Separation of the statistic, fitted on the first patients, among the others: latent + its error as one noise."""
    centre, spread = found[:LEARNED].mean(axis=0), found[:LEARNED].std(axis=0) + 1e-9
    scaled = np.column_stack([(found - centre) / spread, np.ones(len(found))])
    penalty = np.sqrt(3.0) * np.eye(scaled.shape[1])
    weights = np.linalg.lstsq(
        np.vstack([scaled[:LEARNED], penalty]), np.concatenate([latents[:LEARNED], np.zeros(len(penalty))]), rcond=None
    )[0]
    told, true = scaled[LEARNED:] @ weights, latents[LEARNED:]
    slope, start = np.polyfit(true, told, 1)
    error = np.std(told - slope * true - start) / slope
    return float(GAP / np.sqrt(1 + error**2))


@pytest.mark.parametrize("case", CASES)
def test_files_carry_the_declared_separation(case: str, tmp_path: Path) -> None:
    latents, found = statistics(case, tmp_path)
    kept = kept_separation(latents, found)
    assert (1 - LOST) * GAP <= kept <= GAP
