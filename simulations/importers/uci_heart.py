"""UCI heart disease: four hospitals' tables (Janosi, Steinbrunn, Pfisterer and Detrano 1988, CC BY 4.0)."""

import csv
import hashlib
from pathlib import Path

from shared.errors import FileError, Problem
from simulations.site_file import write_site_file

COLUMNS = (
    "age",
    "sex",
    "cp",
    "trestbps",
    "chol",
    "fbs",
    "restecg",
    "thalach",
    "exang",
    "oldpeak",
    "slope",
    "ca",
    "thal",
)
WORDS = {
    "sex": {"0": "female", "1": "male"},
    "cp": {"1": "typical", "2": "atypical", "3": "non-anginal", "4": "asymptomatic"},
    "fbs": {"0": "no", "1": "yes"},
    "restecg": {"0": "normal", "1": "st-t", "2": "hypertrophy"},
    "exang": {"0": "no", "1": "yes"},
    "slope": {"1": "up", "2": "flat", "3": "down"},
    "thal": {"3": "normal", "6": "fixed", "7": "reversible"},
}
SITES = {"cleveland": "cleveland", "hungary": "hungarian", "switzerland": "switzerland", "long-beach": "va"}
# MD5 of the repository's files; wrong copies, with "?" replaced by 0, are common.
DIGESTS = {
    "cleveland": "2d91a8ff69cfd9616aa47b59d6f843db",
    "hungarian": "22e96bee155b5973568101c93b3705f6",
    "switzerland": "9a87f7577310b3917730d06ba9349e20",
    "va": "4249d03ca7711e84f4444768c9426170",
}


def import_uci_heart(source: Path, target: Path) -> list[str]:
    """Write one folder a hospital into ``target``; returns what was done, in sentences.

    FileError with every file that is absent or is not the original.
    """
    told = []
    for site, rows in originals(source).items():
        folder = target / site
        write_site_file(folder, site)
        with (folder / "patients.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["patient_id", *COLUMNS, "disease"])
            for number, row in enumerate(rows, start=1):
                cells = [_cell(name, text) for name, text in zip(COLUMNS, row, strict=False)]
                writer.writerow([f"{site}-{number:03d}", *cells, "present" if float(row[-1]) > 0 else "absent"])
        told.append(f"{site}: {len(rows)} patients, none dropped")
    told.append(
        '"?" became an empty cell; a cholesterol or blood pressure of 0 is kept, and the study reads it as missing'
    )
    return told


def originals(source: Path) -> dict[str, list[list[str]]]:
    """The rows of each hospital's file; FileError with every file that is absent or is not the original."""
    problems = [problem for file in SITES.values() if (problem := _fault(source, file))]
    if problems:
        raise FileError(problems)
    paths = {site: source / f"processed.{file}.data" for site, file in SITES.items()}
    return {site: list(csv.reader(path.read_text(encoding="ascii").splitlines())) for site, path in paths.items()}


def _fault(source: Path, file: str) -> Problem | None:
    path = source / f"processed.{file}.data"
    if not path.is_file():
        return Problem(path.name, "", "no such file", "take the four processed files of the UCI repository")
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != DIGESTS[file]:
        return Problem(
            path.name, "", "is not the UCI repository's file", "altered copies are common; take the original"
        )
    return None


def _cell(name: str, text: str) -> str:
    """A cell as a hospital would write it: words for codes, empty for "?"."""
    text = text.strip()
    if text == "?":
        return ""
    code = f"{float(text):g}"
    return WORDS[name].get(code, code) if name in WORDS else code
