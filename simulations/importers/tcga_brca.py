"""TCGA-BRCA by FLamby's layout: survival with breast cancer by the region of the hospital, 39 columns.

Ogier du Terrail et al.: FLamby, NeurIPS 2022 (datasets and benchmarks), Fed-TCGA-BRCA; data of the GDC, open access.
"""

from collections import Counter
from pathlib import Path

from shared.errors import FileError, Problem
from simulations.importers.tables import Folders, Release, numbers, reasons, sizes

REGIONS = ("northeast", "south", "west", "midwest", "europe", "canada")  # by FLamby's number
TABLES = {"train_test_split": ("pid", "fold", "fold2"), "brca": ("pid", "age_at_index", "E", "T")}
REMEDY = "take brca.csv and train_test_split.csv from FLamby's fed_tcga_brca"


def import_tcga_brca(source: Path, target: Path) -> list[str]:
    """Write one folder a region; returns what was done and dropped, in sentences. FileError for another layout."""
    import pandas as pd

    release = Release(source, TABLES, REMEDY)
    release.check()
    table = pd.read_csv(release.path("brca"), dtype=str, keep_default_na=False)
    split = release.whole("train_test_split").drop_duplicates("pid").set_index("pid")
    number = numbers(split["fold2"].str.rpartition("_")[2])
    if not number.isin(range(len(REGIONS))).all():
        rule = f"names a region that is not 0 to {len(REGIONS) - 1}"
        raise FileError([Problem("train_test_split.csv", "column fold2", rule, REMEDY)])
    table = table.assign(
        site=table["pid"].map(number.map(dict(enumerate(REGIONS)))),
        split=table["pid"].map(split["fold"]),
        days=numbers(table["T"]),
        status=numbers(table["E"]).map({1: "dead", 0: "censored"}),
    )
    dropped = Counter[str]()
    rules = {
        "rows without a region": table["site"].notna(),
        "rows without a time of zero days or more, or an event": (table["days"] >= 0) & table["status"].notna(),
        "copies of a patient": ~table["pid"].duplicated(),
    }
    for why, holds in rules.items():
        left = holds[table.index]
        dropped[why] += int((~left).sum())
        table = table[left]
    rows = table.drop(columns=["E", "T"]).rename(columns={"pid": "patient_id"})
    here = [region for region in REGIONS if (rows["site"] == region).any()]
    Folders(target).write_by_site("patients.csv", rows, here)
    told = []
    for region in here:
        own = rows[rows["site"] == region]
        dead, train = int((own["status"] == "dead").sum()), int((own["split"] == "train").sum())
        told.append(f"{region}: {len(own)} patients, {dead} died; {train} to train on")
    return [
        *told,
        *reasons(dropped),
        "FLamby publishes no digest of its files: none was checked",
        'days and status (dead, censored) are the outcome; FLamby\'s split stands in the column "split"',
        "ages above 89 are 90 in the release",
        sizes({region: int((rows["site"] == region).sum()) for region in here}),
    ]
