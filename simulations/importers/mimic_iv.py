"""MIMIC-IV: intensive care with sepsis by Sepsis-3, one stay a patient, as the study sepsis-mortality reads it.

Johnson et al., Scientific Data 10:1 (2023), with MIMIC-IV-Note; both under PhysioNet's agreement, tables in the folders
hosp, icu and note. MIMIC is one hospital: its parts by first care unit, or by where patients came from, stand for
hospitals.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from simulations.importers.mimic_sepsis import measured, sofa, suspected
from simulations.importers.plausible import plausible
from simulations.importers.tables import Folders, Release, chosen, hours, moments, numbers, reasons, site_name, sizes

if TYPE_CHECKING:
    import pandas as pd

WINDOW = 24.0  # hours from the admission to intensive care to the prediction
SURELY_OLD = 91.0  # the release's one age for all above 89
TABLES = {
    "hosp/patients": ("subject_id", "gender", "anchor_age", "anchor_year"),
    "hosp/admissions": (
        *("subject_id", "hadm_id", "admittime", "dischtime", "deathtime"),
        *("admission_type", "admission_location", "hospital_expire_flag"),
    ),
    "hosp/diagnoses_icd": ("hadm_id", "icd_code", "icd_version"),
    "hosp/d_labitems": ("itemid", "label"),
    "hosp/labevents": ("subject_id", "specimen_id", "itemid", "charttime", "storetime", "value", "valuenum"),
    "hosp/microbiologyevents": ("subject_id", "chartdate", "charttime"),
    "icu/icustays": ("subject_id", "hadm_id", "stay_id", "first_careunit", "intime", "outtime"),
    "icu/d_items": ("itemid", "category"),
    "icu/inputevents": ("stay_id", "starttime", "itemid", "rate", "rateuom", "patientweight", "statusdescription"),
    "icu/chartevents": ("stay_id", "charttime", "itemid", "value", "valuenum"),
    "note/discharge": ("hadm_id", "charttime", "storetime", "text"),
    "note/radiology": ("hadm_id", "charttime", "storetime", "text"),
}
REMEDY = "take the folders hosp and icu of MIMIC-IV and note of MIMIC-IV-Note from PhysioNet"
UNITS = {
    "Medical Intensive Care Unit (MICU)": "medical",
    "Medical/Surgical Intensive Care Unit (MICU/SICU)": "medical",
    "Surgical Intensive Care Unit (SICU)": "surgical",
    "Neuro Surgical Intensive Care Unit (Neuro SICU)": "surgical",
    "Trauma SICU (TSICU)": "trauma",
    "Cardiac Vascular Intensive Care Unit (CVICU)": "cardiac",
    "Coronary Care Unit (CCU)": "cardiac",
}
URGENCY = {
    "EW EMER.": "emergency",
    "DIRECT EMER.": "emergency",
    "URGENT": "urgent",
    "OBSERVATION ADMIT": "urgent",
    "ELECTIVE": "elective",
    "SURGICAL SAME DAY ADMISSION": "elective",
}
SIMPLIFIED = (
    "MIMIC is one hospital: its sites here are parts of it, by first care unit or by where patients came from",
    "Sepsis-3, simplified: suspected infection is an antibiotic given in intensive care and a culture, the culture "
    "within 24 h after it or before it (of the published 72 h at most 48), both by hour 24 and the first no earlier "
    "than 24 h before admission there; the SOFA score is of the worst values of the first 24 h, a score before is "
    "taken as 0, urine is left out, "
    "a breath is ventilated where a ventilator's mode is charted, a PaO2 without FiO2 is taken as of room air, "
    "one of a specimen whose type is not told as arterial",
    "time 0 is the admission to intensive care, the prediction is at hour 24; laboratory results that came later are "
    "left out, and notes keep the time at which they were stored, a discharge note no earlier than the discharge",
    "ages above 89 are one age in the release, and are kept as 91",
)
PATIENT = ("patient_id", "hour", "died", "age", "weight", "sofa", "sex", "admission", "site")


def import_mimic_iv(source: Path, target: Path, sites: str = "") -> list[str]:
    """Write one folder a part of the hospital; returns what was done and dropped, in sentences.

    ``sites``: "care-unit" (the study's four) or "admission". FileError with every file that is absent, altered or
    lacks a column.
    """
    by, release = chosen(sites, ("care-unit", "admission")), Release(source, TABLES, REMEDY)
    told, dropped = [release.check()], Counter[str]()
    target.mkdir(parents=True, exist_ok=True)
    stays = suspected(release, _stays(release, by, dropped), dropped)
    with TemporaryDirectory(dir=target) as scratch:
        staged = Path(scratch) / "labs.csv"
        worst = measured(release, stays, WINDOW, staged, dropped)
        cohort = _septic(stays.assign(sofa=sofa(stays, worst)), dropped)
        folders = Folders(target)
        _write_labs(folders, staged, cohort)
    folders.write_by_site("patients.csv", _table(cohort, dropped)[list(PATIENT)], _sites(cohort))
    _write_notes(folders, release, cohort, dropped)
    counts = cohort["site"].value_counts().sort_index()
    deaths = cohort[cohort["died"] == "yes"]["site"].value_counts()
    told += [f"{site}: {count} patients, {deaths.get(site, 0)} died" for site, count in counts.items()]
    return [*told, *reasons(dropped), *SIMPLIFIED, _coded(release, cohort), sizes(dict(counts))]


def _stays(release: Release, by: str, dropped: Counter[str]) -> "pd.DataFrame":
    """Adults' stays that reach the prediction, with their hospital, one row a stay."""
    stays = release.whole("icu/icustays").merge(release.whole("hosp/patients"), on="subject_id")
    stays = stays.merge(release.whole("hosp/admissions").drop(columns="subject_id"), on="hadm_id")
    for column in ("intime", "outtime", "admittime", "dischtime", "deathtime"):
        stays[column] = moments(stays[column])
    anchor = numbers(stays["anchor_age"])
    age = anchor + stays["admittime"].dt.year - numbers(stays["anchor_year"])
    stays["age"] = age.where((anchor < SURELY_OLD) & (age <= 89), SURELY_OLD)
    place = stays["first_careunit"].map(UNITS).fillna("") if by == "care-unit" else stays["admission_location"]
    stays["site"] = place.map(site_name)
    end = stays[["outtime", "dischtime", "deathtime"]].min(axis=1)
    keep = _kept(stays["intime"].notna() & age.notna(), "stays without times or an age", stays, dropped)
    keep = _kept(keep["age"] >= 18, "stays of patients under 18", keep, dropped)
    keep = _kept(keep["site"] != "", f"stays without a known {by}", keep, dropped)
    reach = hours(end[keep.index], keep["intime"]) >= WINDOW
    return _kept(reach, "stays that ended, by death or otherwise, before hour 24", keep, dropped)


def _kept(keep: Any, why: str, rows: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """The rows to keep; the others are counted."""
    dropped[why] += int((~keep).sum())
    return rows[keep]


def _septic(stays: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """The first stay with sepsis of each patient, in the order of patients."""
    septic = _kept(stays["sofa"] >= 2, "stays with a suspected infection and a SOFA score below 2", stays, dropped)
    ordered = septic.sort_values(["subject_id", "intime", "stay_id"])
    return _kept(~ordered["subject_id"].duplicated(), "later stays of the same patients", ordered, dropped)


def _sites(cohort: "pd.DataFrame") -> list[str]:
    return sorted(cohort["site"].unique())


def _table(cohort: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """The columns of patients.csv, in the study's words."""
    weighed = cohort.assign(variable="weight", value=numbers(cohort["weight"]))
    return cohort.assign(
        patient_id=cohort["subject_id"],
        hour=WINDOW,
        died=cohort["died"],
        age=cohort["age"].astype(int),
        weight=plausible(weighed, dropped)["value"].round(1),
        sex=cohort["gender"].map({"F": "female", "M": "male"}).fillna(""),
        admission=cohort["admission_type"].map(URGENCY).fillna(""),
    )


def _write_labs(folders: Folders, staged: Path, cohort: "pd.DataFrame") -> None:
    """Measurements of the cohort out of those of all suspected infections."""
    import pandas as pd

    own = cohort.set_index("stay_id")[["subject_id", "site"]]
    columns = ["patient_id", "time", "variable", "value", "site"]
    folders.write_by_site("labs.csv", pd.DataFrame(columns=columns), _sites(cohort))
    for part in pd.read_csv(staged, dtype=str, chunksize=500_000):
        rows = part.join(own, on="stay_id", how="inner").rename(columns={"subject_id": "patient_id"})
        folders.write_by_site("labs.csv", rows[columns], _sites(cohort))


def _write_notes(folders: Folders, release: Release, cohort: "pd.DataFrame", dropped: Counter[str]) -> None:
    """All notes of the admission with their times: those after the prediction are for the reader to leave out."""
    import pandas as pd

    own = cohort.set_index("hadm_id")[["subject_id", "site", "intime", "dischtime"]]
    columns = ["patient_id", "time", "kind", "text", "site"]
    folders.write_by_site("notes.csv", pd.DataFrame(columns=columns), _sites(cohort))
    for kind in ("discharge", "radiology"):
        for part in release.parts(f"note/{kind}"):
            rows = part.join(own, on="hadm_id", how="inner")
            known = pd.concat([moments(rows["charttime"]), moments(rows["storetime"])], axis=1)
            if kind == "discharge":  # charted with the date alone
                known["leaves"] = rows["dischtime"]
            rows["time"] = hours(known.max(axis=1), rows["intime"]).round(3)
            rows = _kept(rows["time"].notna(), "notes without a time", rows, dropped)
            rows = rows.rename(columns={"subject_id": "patient_id"})
            folders.write_by_site("notes.csv", rows.assign(kind=kind)[columns], _sites(cohort))


def _coded(release: Release, cohort: "pd.DataFrame") -> str:
    """How many have a diagnosis of sepsis: told, and no input, as it is coded after the discharge."""
    admissions, coded = set(cohort["hadm_id"]), set[str]()
    for part in release.parts("hosp/diagnoses_icd"):
        code, version = part["icd_code"].str.strip(), part["icd_version"].str.strip()
        tenth = (version == "10") & code.str.match(r"A4[01]|R652")
        ninth = (version == "9") & code.str.match(r"038|99591|99592|78552")
        coded |= admissions & set(part["hadm_id"][tenth | ninth])
    return f"{len(coded)} of {len(admissions)} carry a code of sepsis, given after the discharge and no input here"
