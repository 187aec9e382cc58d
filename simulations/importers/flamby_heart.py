"""UCI heart disease by FLamby's protocol: ten columns, complete rows, a fixed split, z-scores of each training part.

Ogier du Terrail et al.: FLamby, NeurIPS 2022 (datasets and benchmarks), Fed-Heart-Disease.
"""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulations.importers.uci_heart import COLUMNS, SITES, originals
from simulations.site_file import write_site_file

Floats = npt.NDArray[np.float64]
PLAIN = ("age", "sex", "trestbps", "chol", "fbs", "thalach", "exang", "oldpeak")
ONE_HOT = {"cp": (2, 3, 4), "restecg": (1, 2)}  # the first value of each is left out
INPUTS = (*PLAIN, *(f"{name}_{value}" for name, values in ONE_HOT.items() for value in values))
TRAIN, SEED = 0.66, 43


def import_flamby_heart(source: Path, target: Path) -> list[str]:
    """Write one folder a hospital into ``target``; returns what was done, in sentences. FileError as uci-heart's."""
    told = []
    for site, (inputs, disease, split) in protocol(source).items():
        own = inputs[split == "train"]
        spread = own.std(axis=0, ddof=1)
        scaled = (inputs - own.mean(axis=0)) / np.where(spread == 0, 1.0, spread)
        write_site_file(target / site, site)
        with (target / site / "patients.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["patient_id", *INPUTS, "split", "disease"])
            for number, (row, part, ill) in enumerate(zip(scaled, split, disease, strict=True), start=1):
                cells = [f"{value:.9g}" for value in row]
                writer.writerow([f"{site}-{number:03d}", *cells, part, "present" if ill else "absent"])
        told.append(f"{site}: {len(disease)} complete rows, {int((split == 'train').sum())} of them to train on")
    return told


def protocol(source: Path) -> dict[str, tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.str_]]]:
    """By hospital: inputs (patients, 13) before scaling, disease (patients,), and "train" or "test" of each."""
    from sklearn.model_selection import train_test_split

    found = {}
    for site, rows in originals(source).items():
        whole = [row for row in rows if not any(cell.strip() == "?" for cell in row[:10])]
        values = {name: np.array([float(row[COLUMNS.index(name)]) for row in whole]) for name in (*PLAIN, *ONE_HOT)}
        hot = [values[name] == value for name, options in ONE_HOT.items() for value in options]
        disease = np.array([float(row[-1]) > 0 for row in whole])
        enough = min(disease.sum(), (~disease).sum()) > 2
        train, _ = train_test_split(
            np.arange(len(whole)),
            train_size=TRAIN,
            test_size=1 - TRAIN,
            random_state=SEED,
            stratify=disease if enough else None,
        )
        split = np.where(np.isin(np.arange(len(whole)), train), "train", "test")
        found[site] = (np.stack([*(values[name] for name in PLAIN), *hot], axis=1).astype(np.float64), disease, split)
    assert set(found) == set(SITES)
    return found
