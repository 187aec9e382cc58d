"""Sepsis-3 in MIMIC-IV: suspected infection, the first day's measurements, and the SOFA score of their worst values.

Singer et al., JAMA 315:801 (2016); windows of antibiotics and cultures by Seymour et al., JAMA 315:762 (2016); SOFA by
Vincent et al., Intensive Care Med 22:707 (1996). What is simplified is told by ``mimic_iv.SIMPLIFIED``.
"""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.errors import FileError, Problem
from simulations.importers.plausible import plausible
from simulations.importers.tables import Release, hours, joined, moments, numbers

if TYPE_CHECKING:
    import pandas as pd

DAY, CULTURE_AFTER, EARLIEST = 24.0, 24.0, -24.0  # hours; a score's window reaches 24 h after the suspicion
ANTIBIOTICS = "Antibiotics"  # category of icu/d_items
LABS = {
    "50813": ("lactate", "Lactate"),
    "50912": ("creatinine", "Creatinine"),
    "50885": ("bilirubin", "Bilirubin, Total"),
    "51265": ("platelets", "Platelet Count"),
    "51301": ("wbc", "White Blood Cells"),
    "50821": ("pao2", "pO2"),
}
SPECIMEN, ARTERIAL = "52033", "ART."  # the item that tells of what a blood gas was taken, and its word for an artery
CHARTED = {
    "220045": "heart_rate",
    "220052": "map",
    "220181": "map",
    "220210": "respiratory_rate",
    "223762": "temperature",
    "223761": "fahrenheit",
    "220277": "spo2",
    "223835": "fio2",
    "223849": "ventilator",
    "220739": "eyes",
    "223900": "verbal",
    "223901": "motor",
}
COMA = ("eyes", "verbal", "motor")
TUBE = "No Response-ETT"  # a verbal score of a patient who cannot speak for the tube
SCORED_ONLY = (*COMA, "fio2", "ventilator", "pao2")  # of the score, and no variable of the study
PRESSORS = {"221662": "dopamine", "221653": "dobutamine", "221289": "epinephrine", "221906": "norepinephrine"}
RATE = "mcg/kg/min"
STEPS = {  # limits at which the score rises by one
    "platelets": (150, 100, 50, 20),  # at or above is better
    "coma": (15, 13, 10, 6),
    "breath": (400, 300, 200, 100),
    "bilirubin": (1.2, 2.0, 6.0, 12.0),  # at or above is worse
    "creatinine": (1.2, 2.0, 3.5, 5.0),
}
LOWER = ("platelets", "coma", "breath")  # of which less is worse
Worst = dict[str, Any]  # by variable: (stays,) worst value, indexed by stay


def suspected(release: Release, stays: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """Stays with a suspected infection, known by hour 24, with ``weight``, ``died`` and ``pressor`` of each."""
    given, pressor = _inputs(release, stays)
    cultures = _cultures(release, stays)
    pairs = given.merge(cultures, on="stay_id", suffixes=("_given", "_taken"))
    lead = pairs["hour_taken"] - pairs["hour_given"]  # positive: the antibiotic came first
    first = pairs[["hour_given", "hour_taken"]].min(axis=1)
    good = pairs[(lead <= CULTURE_AFTER) & (first >= EARLIEST)]  # a culture is then at most 48 h before, of 72 allowed
    keep = stays["stay_id"].isin(good["stay_id"])
    dropped["stays without a suspected infection by hour 24"] += int((~keep).sum())
    weight = given.sort_values("hour").drop_duplicates("stay_id").set_index("stay_id")["patientweight"]
    found = stays[keep]
    return found.assign(
        weight=found["stay_id"].map(weight),
        died=found["hospital_expire_flag"].map({"1": "yes", "0": "no"}).fillna(""),
        pressor=found["stay_id"].map(pressor).fillna(0).astype(int),
    )


def _inputs(release: Release, stays: "pd.DataFrame") -> "tuple[pd.DataFrame, pd.Series[int]]":
    """Antibiotics by hour 24, (stay_id, hour, patientweight), and each stay's points for vasopressors."""
    items = release.whole("icu/d_items")
    antibiotics = set(items["itemid"][items["category"] == ANTIBIOTICS])
    if not antibiotics:
        rule = f'no item has the category "{ANTIBIOTICS}"'
        raise FileError([Problem("icu/d_items", "category", rule, release.remedy)])
    begin, given, points = stays.set_index("stay_id")["intime"], [], []
    for part in release.parts("icu/inputevents"):
        wanted = part["itemid"].isin(antibiotics | set(PRESSORS)) & (part["statusdescription"] != "Rewritten")
        rows = _on_clock(part[wanted], begin, "starttime")
        given.append(rows[rows["itemid"].isin(antibiotics)][["stay_id", "hour", "patientweight"]])
        drugs = rows[rows["itemid"].isin(PRESSORS) & (rows["hour"] >= 0)]
        points.append(drugs.assign(points=_drug_points(drugs)).groupby("stay_id")["points"].max())
    return joined(given), joined(points).groupby(level=0).max()


def _on_clock(rows: "pd.DataFrame", begin: "pd.Series[Any]", column: str) -> "pd.DataFrame":
    """Rows of the stays with their ``hour`` since admission, up to hour 24."""
    own = rows[rows["stay_id"].isin(begin.index)]
    own = own.assign(hour=hours(moments(own[column]), own["stay_id"].map(begin)))
    return own[own["hour"] <= DAY]


def _drug_points(rows: "pd.DataFrame") -> Any:
    """2 to 4 points for a vasopressor by its rate; one in another unit counts as its lowest rate."""
    drug = rows["itemid"].map(PRESSORS)
    rate = numbers(rows["rate"]).where(rows["rateuom"] == RATE, 0.0).fillna(0.0)
    strong = drug.isin(["epinephrine", "norepinephrine"])
    dopamine = np.select([rate > 15, rate > 5], [4, 3], 2)
    return np.where(drug == "dobutamine", 2, np.where(strong, np.where(rate > 0.1, 4, 3), dopamine))


def _cultures(release: Release, stays: "pd.DataFrame") -> "pd.DataFrame":
    """Cultures by hour 24, (stay_id, hour); one without a time counts from its date's beginning."""
    found = []
    own = stays[["subject_id", "stay_id", "intime"]]
    for part in release.parts("hosp/microbiologyevents"):
        rows = part.merge(own, on="subject_id")
        taken = moments(rows["charttime"]).fillna(moments(rows["chartdate"]))
        rows = rows.assign(hour=hours(taken, rows["intime"]))
        found.append(rows[rows["hour"].between(EARLIEST, DAY)][["stay_id", "hour"]])
    return joined(found)


def measured(release: Release, stays: "pd.DataFrame", window: float, staged: Path, dropped: Counter[str]) -> Worst:
    """Write the study's variables of the window to ``staged`` (stay_id, time, variable, value); the worst values."""
    import pandas as pd

    _check_items(release)
    pd.DataFrame(columns=["stay_id", "time", "variable", "value"]).to_csv(staged, index=False)
    extremes, coma = [], []
    for part in chain(_lab_rows(release, stays, window, dropped), _chart_rows(release, stays, window)):
        rows = plausible(part, dropped)
        study = rows[~rows["variable"].isin(SCORED_ONLY)]
        study = study.assign(time=study["time"].round(3), value=study["value"].round(3))
        study[["stay_id", "time", "variable", "value"]].to_csv(staged, mode="a", header=False, index=False)
        coma.append(rows[rows["variable"].isin(COMA)])
        extremes.append(rows.groupby(["variable", "stay_id"])["value"].agg(["min", "max"]))
    every = joined(extremes).groupby(level=[0, 1]).agg({"min": "min", "max": "max"})
    least, most = every["min"].unstack(0), every["max"].unstack(0)
    take = {"platelets": least, "map": least, "pao2": least, "fio2": most, "bilirubin": most, "creatinine": most}
    worst = {name: table[name] for name, table in take.items() if name in table}
    worst["ventilator"] = most["ventilator"] if "ventilator" in most else pd.Series(dtype=float)
    worst["coma"] = _lowest_coma(joined(coma))
    return worst


def _check_items(release: Release) -> None:
    """FileError where a laboratory's item is another one than here."""
    names = release.whole("hosp/d_labitems").set_index("itemid")["label"].str.strip().to_dict()
    other = [f"{item} is not {label}" for item, (_, label) in LABS.items() if names.get(item) != label]
    if other:
        raise FileError([Problem("hosp/d_labitems", "itemid", ", ".join(other), release.remedy)])


def _lab_rows(release: Release, stays: "pd.DataFrame", window: float, dropped: Counter[str]) -> Any:
    """Results drawn in the window and known at its end, in parts: stay_id, time, variable, value."""
    own, gases, specimens = stays[["subject_id", "stay_id", "intime"]], [], []
    for part in release.parts("hosp/labevents"):
        told = part[(part["itemid"] == SPECIMEN) & part["subject_id"].isin(own["subject_id"])]
        specimens.append(told[["specimen_id", "value"]])
        rows = part[part["itemid"].isin(LABS)].merge(own, on="subject_id")
        time, stored = (hours(moments(rows[name]), rows["intime"]) for name in ("charttime", "storetime"))
        variable = rows["itemid"].map({item: name for item, (name, _) in LABS.items()})
        rows = rows.assign(time=time, variable=variable, value=numbers(rows["valuenum"]))
        known = rows[rows["time"].between(0, window) & ~(stored > window) & rows["value"].notna()]
        gases.append(known[known["variable"] == "pao2"])
        yield known[known["variable"] != "pao2"]
    yield _arterial(joined(gases), joined(specimens), dropped)


def _arterial(gases: "pd.DataFrame", specimens: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """Blood gases but those told to be of another vessel; the specimen's row may be in another part of the table."""
    kind = gases["specimen_id"].map(specimens.drop_duplicates("specimen_id").set_index("specimen_id")["value"])
    other = ~kind.fillna("").str.strip().isin(["", ARTERIAL])
    dropped["values of pao2 of a specimen that is told, and not as arterial"] += int(other.sum())
    return gases[~other]


def _chart_rows(release: Release, stays: "pd.DataFrame", window: float) -> Any:
    """Charted values of the window in the study's units, in parts."""
    begin = stays.set_index("stay_id")["intime"]
    for part in release.parts("icu/chartevents"):
        rows = part[part["itemid"].isin(CHARTED) & part["stay_id"].isin(begin.index)]
        variable, value = rows["itemid"].map(CHARTED), numbers(rows["valuenum"])
        value = value.where(variable != "fahrenheit", (value - 32) / 1.8)
        value = value.where((variable != "fio2") | (value > 1), value * 100)  # of a part of one
        value = value.where(variable != "ventilator", 1.0)
        value = value.where(rows["value"].str.strip() != TUBE, np.nan)
        time = hours(moments(rows["charttime"]), rows["stay_id"].map(begin))
        rows = rows.assign(time=time, variable=variable.replace("fahrenheit", "temperature"), value=value)
        yield rows[rows["time"].between(0, window) & rows["value"].notna()]


def _lowest_coma(rows: "pd.DataFrame") -> Any:
    """Each stay's lowest sum of the three parts charted at one time; where one is not, as with a tube, no sum."""
    parts = rows.pivot_table(index=["stay_id", "time"], columns="variable", values="value", aggfunc="min")
    return parts.reindex(columns=list(COMA)).dropna().sum(axis=1).groupby(level=0).min()


def sofa(stays: "pd.DataFrame", worst: Worst) -> Any:
    """The score of each stay, 0 to 24; what was not measured counts as normal."""
    import pandas as pd

    values = {name: stays["stay_id"].map(found) for name, found in worst.items()}
    nothing = pd.Series(np.nan, index=stays.index)
    oxygen = values.get("fio2", nothing).fillna(21.0)
    values["breath"] = 100 * values.get("pao2", nothing) / oxygen
    total = np.maximum((values.get("map", nothing) < 70).astype(int), stays["pressor"])
    for name, limits in STEPS.items():
        value = values.get(name, nothing)
        points = sum((value < limit if name in LOWER else value >= limit).astype(int) for limit in limits)
        if name == "breath":
            points = points.where(values["ventilator"].notna(), points.clip(upper=2))
        total = total + points
    return total
