"""A hospital's own names, words, units and dates become the study's; what a rule cannot read stays and is counted."""

from pathlib import Path

import pytest

from client.check import check
from client.check_notes import folder_notes
from client.cohort import read_cohort
from client.harmonization import Harmonizer, Rules
from client.readers.long_table import LongTable
from client.readers.reading import Case, Source
from client.site import Limits, Site, load_site
from shared.errors import SiteError
from tests.small import small_study

SITE = """
name = "north"
encoding = "latin-1"
[limits]
max_epsilon = 10.0
[harmonization."patients.csv"]
columns = { "Alter" = "age", "Geschlecht" = "sex", "krank" = "ill" }
decimal_comma = ["crp"]
values.sex = { "weiblich" = "f", "männlich" = "m" }
values.ill = { "ja" = "yes", "nein" = "no" }
units.hb = [{ factor = 1.6114 }]
dates.age = { format = "%d.%m.%Y", since = "born", to = "years" }
"""
TABLE = (
    "patient_id,krank,Alter,born,Geschlecht,crp,hb\n"
    'SECRET-1,ja,01.07.2020,01.07.1950,männlich,"12,5",8.5\n'
    'SECRET-2,nein,01.07.2020,unknown,weiblich,"1.012,5",hoch\n'
)


def rules(**given: object) -> Rules:
    return Rules.model_validate(given, strict=False)


def test_a_foreign_table_is_read_as_the_studys_own(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    (tmp_path / "patients.csv").write_text(TABLE, encoding="latin-1")
    cohort = read_cohort(load_site(tmp_path / "site.toml"), small_study(tmp_path))
    first, second = (unit.row for unit in cohort.units)
    assert (first["sex"], first["crp"], first["ill"]) == ("m", "12.5", "yes")
    assert float(first["age"]) == pytest.approx(70, abs=0.01)
    assert float(first["hb"]) == pytest.approx(13.6969)
    assert (second["age"], second["crp"], second["hb"]) == ("01.07.2020", "1012.5", "hoch")
    assert cohort.harmonized == {
        ("age", "date"): 1,
        ("sex", "other word"): 2,
        ("ill", "other word"): 2,
        ("crp", "decimal comma"): 2,
        ("hb", "other unit"): 1,
    }


def test_rules_of_columns_that_are_not_there_are_refused_all_at_once() -> None:
    harmonizer = Harmonizer("labs.csv", rules(columns={"Wert": "value", "Alter": "age"}, decimal_comma=["crp"]))
    with pytest.raises(SiteError) as caught:
        harmonizer.header(["patient_id", "Alter", "age"])
    told = str(caught.value)
    assert '"Wert"' in told
    assert '"crp"' in told
    assert 'two columns would be named "age"' in told


def test_a_long_table_converts_each_variable_by_itself(tmp_path: Path) -> None:
    (tmp_path / "labs.csv").write_text(
        "patient_id,Zeit,variable,value\nSECRET-1,01.01.2020 06:00,crp,2\nSECRET-1,01.01.2020 05:00,hb,8\n"
        "SECRET-1,01.01.2020 04:00,na,140\n"
    )
    given = rules(
        columns={"Zeit": "time"},
        dates={"time": {"format": "%d.%m.%Y %H:%M"}},
        units={"value": [{"where": {"variable": "crp"}, "factor": 10}, {"where": {"variable": "hb"}, "factor": 1.5}]},
    )
    source = Source(tmp_path, timed=True, harmonization={"labs.csv": given})
    table = LongTable(source, "labs.csv", "patient_id", "time", ("value",), lambda part: {"value": part["value"]})
    rows = table.rows(Case("SECRET-1", {"patient_id": "SECRET-1"}))
    assert rows is not None
    assert rows["value"].tolist() == ["140", "12", "20"]
    assert rows["time"].tolist() == [438292.0, 438293.0, 438294.0]  # hours since 1970


def test_check_proposes_the_rules(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(
        "patient_id,ill,Age (years),sex,crp,hb\nSECRET-1,yes,50,F,1,1\nSECRET-2,no,50,m,1,1\n"
    )
    limits = Limits(max_epsilon=10.0)
    site = Site(name="north", data=tmp_path, state=tmp_path / "state", encoding="utf-8", limits=limits)
    findings, _ = check(site, small_study(tmp_path), lambda *_: None)
    assert findings is not None
    told = "\n".join(folder_notes(findings))
    assert 'columns = { "Age (years)" = "age" } under [harmonization."patients.csv"]' in told
    assert 'values.sex = { "F" = "f" }' in told
    assert "SECRET" not in told
