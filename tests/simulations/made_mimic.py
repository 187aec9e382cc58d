"""A made MIMIC-IV in the release's layout: each patient is there for one rule of the importer."""

import csv
import gzip
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from simulations.importers.mimic_iv import TABLES
from simulations.importers.mimic_sepsis import LABS

START = datetime(2180, 3, 4, 9, 30)
MICU, TSICU, STEPDOWN = "Medical Intensive Care Unit (MICU)", "Trauma SICU (TSICU)", "Neuro Stepdown"
DISCHARGE, EARLY = "Died after all of the treatment.", "Chest film before noon: clear."
VANCOMYCIN, NOREPINEPHRINE = "225798", "221906"
STAYS = {  # subject: first unit, hours in the unit, age, what is asked of it
    "101": (MICU, 96, 60),  # septic, dies at hour 96
    "102": (TSICU, 50, 91),  # septic, very old, lives
    "103": (MICU, 20, 50),  # leaves before hour 24
    "104": (MICU, 48, 17),  # a child
    "105": (STEPDOWN, 48, 50),  # no intensive care of the four kinds
    "106": (MICU, 48, 50),  # an antibiotic, and no culture near it
    "107": (MICU, 48, 50),  # suspected infection, SOFA 1 but for a venous gas and a pressure of 0
    "108": (TSICU, 60, 40),  # septic twice: the second stay goes
}


def at(hour: float) -> str:
    return str(START + timedelta(hours=hour))


def write(folder: Path, name: str, rows: Iterable[dict[str, object]]) -> None:
    path = folder / f"{name}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*TABLES[name], "a_column_that_nobody_reads"], restval="")
        writer.writeheader()
        writer.writerows(rows)


def _hosp(folder: Path) -> None:
    patients = [
        {"subject_id": name, "gender": "F" if name < "104" else "M", "anchor_age": age, "anchor_year": 2180}
        for name, (_, _, age) in STAYS.items()
    ]
    write(folder, "hosp/patients", patients)
    stays = [*((name, f"2{name}", 0, length) for name, (_, length, _) in STAYS.items()), ("108", "9108", 500, 60)]
    admissions = [
        {
            **{"subject_id": name, "hadm_id": admission, "admittime": at(begin - 2), "dischtime": at(begin + length)},
            **{"deathtime": at(begin + length) if name == "101" else "", "hospital_expire_flag": int(name == "101")},
            **{"admission_type": "EW EMER.", "admission_location": "EMERGENCY ROOM"},
        }
        for name, admission, begin, length in stays
    ]
    write(folder, "hosp/admissions", admissions)
    write(folder, "hosp/diagnoses_icd", [{"hadm_id": "2101", "icd_code": "A419 ", "icd_version": "10"}])
    write(folder, "hosp/d_labitems", [{"itemid": item, "label": label} for item, (_, label) in LABS.items()])
    results = [("50912", 1, 1, 4.0), ("50813", 2, 3, 3.5), ("51265", 3, 3, 90), ("50813", 23, 25, 9.5)]
    labs = [
        {"subject_id": name, "itemid": item, "charttime": at(t), "storetime": at(stored), "valuenum": value}
        for name in ("101", "102", "108")
        for item, t, stored, value in [*results, ("51301", 30, 31, 44.0)]
    ]
    mild = {"subject_id": "107", "itemid": "50912", "charttime": at(1), "storetime": at(1), "valuenum": 1.3}
    drawn = [("107", "71", 40, "VEN."), ("102", "21", 30, "ART."), ("102", "22", 15, "CENTRAL VENOUS.")]
    gases = [
        {"subject_id": name, "specimen_id": specimen, "itemid": "50821", "charttime": at(2), "valuenum": value}
        for name, specimen, value, _ in drawn
    ]
    told = [  # far from their gases: parts of the table may come between
        {"subject_id": name, "specimen_id": specimen, "itemid": "52033", "charttime": at(2), "value": kind}
        for name, specimen, _, kind in drawn
    ]
    write(folder, "hosp/labevents", [*gases, *labs, mild, *told])
    cultures = [("101", 2), ("102", -20), ("106", -90), ("107", 3), ("108", 5), ("108", 505)]
    write(
        folder,
        "hosp/microbiologyevents",
        [{"subject_id": name, "chartdate": at(hour)[:10], "charttime": at(hour)} for name, hour in cultures],
    )


def _icu(folder: Path) -> None:
    stays = [*((name, f"2{name}", f"3{name}", 0, *STAYS[name][:2]) for name in STAYS)]
    stays.append(("108", "9108", "9998", 500, TSICU, 60))
    rows = [
        {
            **{"subject_id": name, "hadm_id": admission, "stay_id": stay, "first_careunit": unit},
            **{"intime": at(begin), "outtime": at(begin + length)},
        }
        for name, admission, stay, begin, unit, length in stays
    ]
    write(folder, "icu/icustays", rows)
    items = [(VANCOMYCIN, "Antibiotics"), (NOREPINEPHRINE, "Medications"), ("220045", "Routine Vital Signs")]
    write(folder, "icu/d_items", [{"itemid": item, "category": category} for item, category in items])
    given = [(f"3{name}", 4, VANCOMYCIN) for name in STAYS] + [("9998", 504, VANCOMYCIN), ("3101", 6, NOREPINEPHRINE)]
    inputs = [
        {
            **{"stay_id": stay, "starttime": at(hour), "itemid": item},
            **{"patientweight": 712.6 if stay == "3102" else 71.26},
            **{"rate": 0.3, "rateuom": "mcg/kg/min", "statusdescription": "FinishedRunning"},
        }
        for stay, hour, item in given
    ]
    write(folder, "icu/inputevents", inputs)
    signs = [("220045", 1, 120, ""), ("220181", 2, 60, ""), ("223761", 3, 100.4, ""), ("220045", 40, 66, "")]
    coma = [("220739", 5, 3, ""), ("223900", 5, 4, ""), ("223901", 5, 6, ""), ("223900", 7, 1, "No Response-ETT")]
    charted = [
        {"stay_id": stay, "charttime": at(begin + hour), "itemid": item, "valuenum": value, "value": text or value}
        for stay, begin in (("3101", 0), ("3102", 0), ("3108", 0), ("9998", 500))
        for item, hour, value, text in [*signs, *coma]
    ]
    broken = {"stay_id": "3107", "charttime": at(3), "itemid": "220181", "valuenum": 0, "value": 0}
    breathed = {"stay_id": "3102", "charttime": at(3), "itemid": "223849", "valuenum": "", "value": "CMV"}
    write(folder, "icu/chartevents", [*charted, broken, breathed])


def _notes(folder: Path) -> None:
    midnight = START.replace(hour=0, minute=0)  # a discharge note is charted with its date alone
    leaves = [
        {"hadm_id": "2101", "charttime": str(midnight), "storetime": "", "text": DISCHARGE},
        {"hadm_id": "2106", "charttime": str(midnight), "storetime": "", "text": "of nobody in the cohort"},
    ]
    write(folder, "note/discharge", leaves)
    films = [(-1, 1, EARLY), (20, 26, "Reported after hour 24, with\na second line.")]
    timed = [{"hadm_id": "2101", "charttime": at(t), "storetime": at(s), "text": text} for t, s, text in films]
    write(folder, "note/radiology", [*timed, {"hadm_id": "2101", "text": "A film without a time."}])


def made_mimic(folder: Path) -> Path:
    """Write all tables and the list of their digests."""
    _hosp(folder)
    _icu(folder)
    _notes(folder)
    files = sorted(folder.rglob("*.csv.gz"))
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.relative_to(folder).as_posix()}\n" for p in files]
    (folder / "SHA256SUMS.txt").write_text("".join(lines))
    return folder
