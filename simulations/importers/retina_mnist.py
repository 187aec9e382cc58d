"""RetinaMNIST: fundus photographs in five grades (Yang et al., Scientific Data 10:41, 2023, CC BY 4.0)."""

import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import FileError, Problem
from simulations.importers.retina_opinions import STUDY, opinions
from simulations.importers.tables import Folders, file_digest
from simulations.site_file import write_site_file

FILE, DIGEST = "retinamnist.npz", "bd4c0672f1bba3e3a89f0e4e876791e4"  # MD5, as its authors publish it
SPLITS = ("train", "val", "test")
SITES = {"north": 0.375, "west": 0.375, "south": 0.25}  # those of the study retina-severity
SEED, GRADES = 24, 5
FEWEST = 3  # that are told of: a hospital has some seven of the 20 test photographs of the highest grade, all public
REMEDY = f"take {FILE} of 28 pixels from MedMNIST's record at Zenodo"


def import_retina_mnist(source: Path, target: Path) -> list[str]:
    """Write one folder an invented hospital; returns what was done, in sentences. FileError for another file."""
    import pandas as pd
    from PIL import Image

    pictures, grades, split = _read(source / FILE)
    site = _invented(len(grades))
    for name in SITES:
        (target / name / "fundus").mkdir(parents=True, exist_ok=True)
    names = [f"retina-{number:04d}" for number in range(1, len(grades) + 1)]
    for picture, name, where in zip(pictures, names, site, strict=True):
        Image.fromarray(picture).save(target / where / "fundus" / f"{name}.png")
    rows = {"patient_id": names, "grade": grades, "split": split, "site": site}
    table = pd.DataFrame({**rows, "fundus": [f"fundus/{name}.png" for name in names]})
    table = table.join(pd.DataFrame(opinions(names, grades, site)))
    Folders(target).write_by_site("patients.csv", table, list(SITES))
    for name in SITES:
        write_site_file(target / name, name, min_cell=FEWEST, min_class=FEWEST)
    counts = {name: int((site == name).sum()) for name in SITES}
    learning = {name: int(((site == name) & (split != "test")).sum()) for name in SITES}
    return [
        f"{FILE} is the published file: its MD5 agrees",
        *(f"{name}: {count} photographs, none dropped" for name, count in counts.items()),
        "the hospitals are invented: the release has none, and photographs were dealt out at random",
        "the release does not say which photographs are of one patient: each counts as a patient of its own",
        "patient_opinion and expert_opinion are SIMULATED: the release has none; they were written from the grade "
        "alone, by the phrases of the study's generator, and nine in ten of the expert's state the grade",
        f"to run it as the study divides patients: {_call(target, counts)}",
        f"to run it by the official split, the val photographs training too: {_call(target, counts, learning)}",
    ]


def _call(target: Path, counts: Mapping[str, int], learning: Mapping[str, int] | None = None) -> str:
    """The command that runs the study on what was written; with how many learn of each hospital, by the column."""
    sets = [f"sites.{name}.patients={count}" for name, count in counts.items()]
    if learning:
        sets += [f"sites.{name}.training={count}" for name, count in learning.items()]
        sets.append('cohorts={scheme="column", column="split", train=["train", "val"], internal=["test"]}')
    call = ["python", "-m", "simulations", "run", STUDY, "--data", str(target)]
    return shlex.join([*call, *(part for override in sets for part in ("--set", override))])


def _invented(number: int) -> Any:
    """An invented hospital for each photograph, by the shares of SITES."""
    ends = np.round(np.cumsum(list(SITES.values())) * number).astype(int)
    place = np.searchsorted(ends, np.random.default_rng(SEED).permutation(number), side="right")
    return np.array(list(SITES))[place]


def _read(path: Path) -> tuple[Any, Any, Any]:
    """Pictures (n, 28, 28, 3), grades (n,) and the split of each, in the order of the release."""
    if not path.is_file():
        raise FileError([Problem(FILE, "", "no such file", REMEDY)])
    if file_digest(path, "md5") != DIGEST:
        raise FileError([Problem(FILE, "", "is not the published file: its MD5 differs", REMEDY)])
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        raise FileError([Problem(FILE, "", "is cut off, or not an archive of arrays", REMEDY)]) from None
    if problems := [problem for name in SPLITS if (problem := _fault(name, arrays))]:
        raise FileError(problems)
    pictures = np.concatenate([arrays[f"{name}_images"] for name in SPLITS])
    grades = np.concatenate([arrays[f"{name}_labels"].reshape(-1) for name in SPLITS])
    return pictures, grades, np.repeat(SPLITS, [len(arrays[f"{name}_labels"]) for name in SPLITS])


def _fault(split: str, arrays: Mapping[str, Any]) -> Problem | None:
    pictures, grades = arrays.get(f"{split}_images"), arrays.get(f"{split}_labels")
    if pictures is None or grades is None:
        return Problem(FILE, f"{split}_images, {split}_labels", "is missing", REMEDY)
    if pictures.shape[1:] != (28, 28, 3) or pictures.dtype != np.uint8 or grades.size != len(pictures):
        return Problem(FILE, f"{split}_images", "is not one picture of 28 x 28 x 3 bytes a label", REMEDY)
    if not np.isin(grades, range(GRADES)).all():
        return Problem(FILE, f"{split}_labels", f"holds other grades than 0 to {GRADES - 1}", REMEDY)
    return None
