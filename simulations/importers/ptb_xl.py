"""PTB-XL: electrocardiograms with reports, by recording site (Wagner et al. 2020, Scientific Data 7:154, CC BY 4.0)."""

import ast
import csv
import shutil
from collections import Counter, defaultdict
from pathlib import Path

from shared.errors import FileError, Problem
from simulations.site_file import write_site_file

DATABASE, STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"
NEEDED = {
    DATABASE: ("ecg_id", "patient_id", "site", "age", "sex", "height", "weight", "report", "scp_codes", "filename_lr"),
    STATEMENTS: ("", "diagnostic", "diagnostic_class"),
}
SEX = {"0": "male", "1": "female"}
COLUMNS = ("patient_id", "ecg_id", "age", "sex", "height", "weight", "ecg", "report", "finding")
PARTS = (".hea", ".dat")  # of a record
Row = dict[str, str]


def import_ptb_xl(source: Path, target: Path) -> list[str]:
    """Write one folder a recording site into ``target``; returns what was done and dropped, in sentences.

    A record is a row, so that several rows can be one patient. It is normal if the superclass NORM is among its
    diagnostic statements of a likelihood above zero, as their authors rate them. FileError with every file that is
    absent or lacks a column.
    """
    tables = {name: _read(source / name) for name in NEEDED}
    if problems := [problem for name in NEEDED if (problem := _fault(name, tables[name]))]:
        raise FileError(problems)
    classes = {row[""]: row["diagnostic_class"] for row in tables[STATEMENTS] or [] if row["diagnostic"] == "1.0"}
    sites, dropped = _by_site(tables[DATABASE] or [], classes)
    if absent := [row for rows in sites.values() for row in rows if not all(map(Path.is_file, _parts(source, row)))]:
        rule = f"{len(absent)} of its records have no {' or '.join(PARTS)} file"
        raise FileError([Problem(DATABASE, "filename_lr", rule, "take the folder records100 of the same release")])
    told = [_write_site(source, target / name, rows) for name, rows in sorted(sites.items())]
    return [*told, *(f"{count} records dropped: {why}" for why, count in dropped.items())]


def _read(path: Path) -> list[Row] | None:
    """A table's rows; None where there is none."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _fault(name: str, rows: list[Row] | None) -> Problem | None:
    if rows is None:
        return Problem(name, "", "no such file", "take it from the release of PTB-XL")
    missing = [column for column in NEEDED[name] if not rows or column not in rows[0]]
    rule = f"lacks the columns {', '.join(column or '(the code)' for column in missing)}"
    return Problem(name, "", rule, "take it from the release of PTB-XL") if missing else None


def _by_site(rows: list[Row], classes: dict[str, str]) -> tuple[dict[str, list[Row]], Counter[str]]:
    """Rows with their ``finding`` by hospital, and how many were dropped, by reason."""
    sites, dropped = defaultdict(list), Counter[str]()
    for row in rows:
        likelihoods = ast.literal_eval(row["scp_codes"])
        found = {classes[code] for code, likelihood in likelihoods.items() if likelihood > 0 and code in classes}
        if not found:
            dropped["no diagnostic statement of a likelihood above zero (rhythm or form only)"] += 1
        elif not row["site"] or not row["patient_id"]:
            dropped["no recording site or patient"] += 1
        else:
            finding = "normal" if "NORM" in found else "abnormal"
            sites[f"site-{float(row['site']):.0f}"].append({**row, "finding": finding})
    return sites, dropped


def _parts(source: Path, row: Row) -> list[Path]:
    return [source / f"{row['filename_lr']}{part}" for part in PARTS]


def _write_site(source: Path, folder: Path, rows: list[Row]) -> str:
    """One hospital's folder; what it holds, in a sentence."""
    write_site_file(folder, folder.name)
    (folder / "ecg").mkdir(exist_ok=True)
    with (folder / "patients.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            for part in _parts(source, row):
                shutil.copyfile(part, folder / "ecg" / part.name)
            patient, sex = f"{float(row['patient_id']):.0f}", SEX.get(row["sex"], row["sex"])
            record = f"ecg/{Path(row['filename_lr']).name}"
            writer.writerow({**row, "patient_id": patient, "sex": sex, "ecg": record})
    patients, normal = len({row["patient_id"] for row in rows}), sum(row["finding"] == "normal" for row in rows)
    return f"{folder.name}: {len(rows)} records of {patients} patients, {normal} normal"
