"""eICU: intensive care of many hospitals, the first day of each stay (Pollard et al., Scientific Data 5:180178, 2018).

Under PhysioNet's agreement. A patient is a ``uniquepid``, a row one of his stays; minus one means "not measured".
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulations.importers.tables import Folders, Release, chosen, joined, numbers, reasons, site_name, sizes

if TYPE_CHECKING:
    import pandas as pd

WINDOW = 24.0  # hours from the admission to the unit to the prediction
SURELY_OLD = {"> 89": 90.0}
ADMITTED = ("apacheadmissiondx", "unittype", "unitadmitsource", "ethnicity", "admissionheight", "admissionweight")
OUTCOMES = ("hospitaldischargestatus", "unitdischargeoffset")  # who died, and when the stay ended
ORDER = ("hospitaldischargeyear", "patienthealthsystemstayid", "unitvisitnumber")  # as far as the release tells one
APACHE = (
    *("intubated", "vent", "dialysis", "eyes", "motor", "verbal", "meds", "urine", "wbc", "temperature"),
    *("respiratoryrate", "sodium", "heartrate", "meanbp", "ph", "hematocrit", "creatinine", "albumin", "pao2"),
    *("pco2", "bun", "glucose", "bilirubin", "fio2"),
)
VITALS = {
    "noninvasivesystolic": "systolic",
    "noninvasivediastolic": "diastolic",
    "noninvasivemean": "map",
    "paop": "paop",
    "cardiacoutput": "cardiac_output",
}
STAY = "patientunitstayid"
TABLES = {
    "patient": (STAY, "uniquepid", "hospitalid", "gender", "age", *ORDER, *ADMITTED, *OUTCOMES),
    "apacheApsVar": (STAY, *APACHE),
    "vitalAperiodic": (STAY, "observationoffset", *VITALS),
    "note": (STAY, "noteoffset", "noteenteredoffset", "notepath", "notetext"),
    "diagnosis": (STAY, "diagnosisoffset", "diagnosisstring"),
}
HOSPITAL = {"hospital": ("hospitalid", "region")}
REMEDY = "take the tables of eICU 2.0 from PhysioNet"
TOLD = (
    "time 0 is the admission to the unit, the prediction is at hour 24",
    "no column of the discharge (its time, place, status, weight, diagnosis) is written but the outcome, died",
    "apacheApsVar's worst values of the first day stand in patients.csv; -1 became an empty cell",
    'the other tables are by stay, each on its own clock: in a study unit.row = "stay", columns.patient = "stay"',
    'ages written "> 89" became 90',
    "a patient's first stay is the first unit visit of the hospital stay that ended in the earliest year; of several "
    "in one year, whose order the release does not tell, of the one with the lowest number",
)


def import_eicu(source: Path, target: Path, sites: str = "") -> list[str]:
    """Write one folder a hospital or region; returns what was done and dropped, in sentences.

    ``sites``: "hospital" (by hospitalid) or "region". FileError with every file that is absent, altered or lacks a
    column.
    """
    by = chosen(sites, ("hospital", "region"))
    release = Release(source, {**TABLES, **(HOSPITAL if by == "region" else {})}, REMEDY)
    told, dropped, folders = [release.check()], Counter[str](), Folders(target)
    stays = _stays(release, by, dropped)
    names = sorted(stays["site"].unique())
    columns = ["patient_id", "stay", "hour", "died", "age", "sex", *ADMITTED, *APACHE, "site"]
    folders.write_by_site("patients.csv", stays.join(_apache(release, stays), on=STAY)[columns], names)
    own = stays.set_index(STAY)[["stay", "site"]]
    for table, parts in (
        ("labs.csv", _vitals(release, own, dropped)),
        ("notes.csv", _notes(release, own, dropped)),
        ("concepts.csv", _diagnoses(release, own, dropped)),
    ):
        for part in parts:
            folders.write_by_site(table, part, names)
    counts = stays.groupby("site")["patient_id"].nunique()
    for site, of_site in stays.groupby("site"):
        died = int((of_site["died"] == "yes").sum())
        told.append(f"{site}: {len(of_site)} stays of {counts[site]} patients, {died} ended in death")
    return [*told, *reasons(dropped), *TOLD, sizes(dict(counts))]


def _stays(release: Release, by: str, dropped: Counter[str]) -> "pd.DataFrame":
    """Adults' stays that reach the prediction and have an outcome, each patient at his first hospital."""
    stays = release.whole("patient")
    if by == "region":
        regions = release.whole("hospital").set_index("hospitalid")["region"]
        stays["site"] = stays["hospitalid"].map(regions).fillna("").map(site_name)
    else:
        stays["site"] = ("hospital-" + stays["hospitalid"]).where(stays["hospitalid"] != "", "")
    age = numbers(stays["age"].replace(SURELY_OLD))
    died = stays["hospitaldischargestatus"].map({"Expired": "yes", "Alive": "no"})
    stays = stays.assign(
        patient_id=stays["uniquepid"],
        stay=stays[STAY],
        hour=WINDOW,
        age=age,
        died=died,
        sex=stays["gender"].map({"Female": "female", "Male": "male"}).fillna(""),
    )
    for name in ("admissionheight", "admissionweight"):
        stays[name] = _measured(stays[name])
    ordered = stays.sort_values([*ORDER, STAY], key=numbers)
    first = ordered.drop_duplicates("uniquepid").set_index("uniquepid")["site"]
    rules = {
        f"stays without a {by}": stays["site"] != "",
        "stays without a patient": stays["uniquepid"] != "",
        "stays without an outcome": died.notna(),
        "stays of patients under 18 or without an age": age >= 18,
        "stays that ended before hour 24": numbers(stays["unitdischargeoffset"]) >= WINDOW * 60,
        "stays of patients whose first stay is at another hospital": stays["uniquepid"].map(first) == stays["site"],
    }
    for why, holds in rules.items():
        left = holds[stays.index]
        dropped[why] += int((~left).sum())
        stays = stays[left]
    return stays


def _measured(cells: Any) -> Any:
    """Numbers, empty where the cell is -1 or no number."""
    values = numbers(cells)
    return values.where(values != -1)


def _apache(release: Release, stays: "pd.DataFrame") -> "pd.DataFrame":
    """The worst values of the first day by stay, one row each."""
    rows = joined([part[part[STAY].isin(stays[STAY])] for part in release.parts("apacheApsVar")])
    return rows.drop_duplicates(STAY).set_index(STAY).apply(_measured)


def _in_window(rows: "pd.DataFrame", minutes: Any, what: str, dropped: Counter[str]) -> "pd.DataFrame":
    """Rows up to the prediction with their ``time`` in hours; later ones would tell the outcome."""
    rows = rows.assign(time=(minutes / 60).round(3))
    dropped[f"{what} later than hour 24, or without a time"] += int((~(rows["time"] <= WINDOW)).sum())
    return rows[rows["time"] <= WINDOW]


def _vitals(release: Release, own: "pd.DataFrame", dropped: Counter[str]) -> Any:
    """The long table of measurements, in parts."""
    for part in release.parts("vitalAperiodic"):
        rows = part.join(own, on=STAY, how="inner")
        rows = _in_window(rows, numbers(rows["observationoffset"]), "vital signs", dropped)
        rows = rows[["stay", "time", "site", *VITALS]].rename(columns=VITALS)
        long = rows.melt(["stay", "time", "site"], var_name="variable")
        values = _measured(long["value"])
        dropped["vital signs of -1 or that are no number"] += int((values.isna() & (long["value"] != "")).sum())
        yield long.assign(value=values)[values.notna()]


def _notes(release: Release, own: "pd.DataFrame", dropped: Counter[str]) -> Any:
    """Notes by the later of the time that they are of and the time at which they were entered, in parts."""
    for part in release.parts("note"):
        rows = part.join(own, on=STAY, how="inner")
        minutes = numbers(rows["noteoffset"]).combine(numbers(rows["noteenteredoffset"]), max)
        rows = _in_window(rows, minutes, "notes", dropped)
        heading = rows["notepath"].str.rsplit("/", n=1).str[-1]
        rows = rows.assign(text=heading.where(heading == rows["notetext"], heading + ": " + rows["notetext"]))
        yield rows[["stay", "time", "text", "site"]]


def _diagnoses(release: Release, own: "pd.DataFrame", dropped: Counter[str]) -> Any:
    """Diagnoses that were entered by the prediction, as codes, in parts."""
    for part in release.parts("diagnosis"):
        rows = part.join(own, on=STAY, how="inner").rename(columns={"diagnosisstring": "code"})
        rows = _in_window(rows, numbers(rows["diagnosisoffset"]), "diagnoses", dropped)
        yield rows[["stay", "time", "code", "site"]]
