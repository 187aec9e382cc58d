"""A column that knows the answer is named by the check; the same column without the answer is not."""

import csv

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from client.archive import Archive
from client.check import findings_of
from client.check_notes import notes
from client.site import load_site
from client.suspicion import Question, _separates, suspicious
from server.report.results import Results
from shared.study_file import load_study
from simulations.catalog.checks import Page
from simulations.hospitals import invent
from simulations.site_file import write_site_file
from simulations.study_run import run_study
from tests.small import hospital, small_study


def findings(study, folder):
    return findings_of(Archive(load_site(folder / "site.toml")), study)


def invented(folder, name, site, patients, *overrides):
    study = load_study(name, overrides)
    invent(study, folder, {site: patients})
    write_site_file(folder / site, site)
    return study, folder / site


def test_the_experts_opinion_is_told_and_the_patients_is_not(tmp_path):
    study, folder = invented(tmp_path, "retina-severity", "north", 150)
    found = findings(study, folder)
    (told,) = suspicious(found)
    assert told.startswith('expert: column "expert_opinion" alone separates the outcome almost perfectly')
    assert "suspiciously good" in told
    assert told in list(notes(found))


def test_an_expert_who_does_not_know_the_answer_is_not_told(tmp_path):
    study, folder = invented(tmp_path, "retina-severity", "north", 150, "simulation.leak={}")
    assert list(suspicious(findings(study, folder))) == []


@pytest.mark.parametrize(("hour", "told"), [(30.0, True), (500.0, False)])
def test_a_discharge_note_is_told_only_where_its_time_is_before_the_prediction(tmp_path, hour, told):
    study, folder = invented(tmp_path, "sepsis-mortality", "medical", 120, "simulation.missing={}")
    patients = list(csv.DictReader((folder / "patients.csv").read_text().splitlines()))
    with (folder / "notes.csv").open("a", encoding="utf-8", newline="") as file:
        for row in patients:
            time = float(row["hour"]) - 1 if told else float(row["hour"]) + hour
            csv.writer(file).writerow([row["patient_id"], time, f"Discharge: {row['died'].replace('no', 'home')}"])
    found = [note for note in suspicious(findings(study, folder)) if note.startswith("notes: ")]
    assert [note.split(" alone")[0] for note in found] == (["notes: notes.csv"] if told else [])


def _site(folder, change):
    site = hospital(folder)
    with (site.data / "patients.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        change(row, row["ill"] == "yes", number)
    with (site.data / "patients.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return site.data


def _number(row, ill, number):
    row["crp"] = 10 + number % 7 if ill else 100 + number % 7


def _word(row, ill, number):
    row["sex"] = "f" if ill else "m"


def _gap(row, ill, number):
    row["hb"] = "" if ill else row["hb"] or "10"


def _chance(row, ill, number):
    row["crp"] = number


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_number, ['blood: column "crp"']),
        (_word, ['clinical: column "sex"']),
        (_gap, ['blood: whether column "hb" is recorded']),
        (_chance, []),
    ],
)
def test_numbers_words_and_gaps_are_told_by_their_column(tmp_path, change, told):
    folder = _site(tmp_path, change)
    found = list(suspicious(findings(small_study(tmp_path), folder)))
    assert [note.split(" alone")[0] for note in found] == told


@pytest.mark.parametrize(("each", "told"), [(15, False), (300, True)])
def test_a_high_figure_is_chance_among_few_and_told_among_many(each, told):
    event = np.repeat([False, True], each)
    score = np.tile(norm.ppf((np.arange(each) + 0.5) / each), 2) + 2.95 * event
    question = Question(event, np.ones(2 * each, dtype=np.bool_))
    assert 0.98 < roc_auc_score(event, score) < 0.99
    assert _separates(score, question, smallest=10) is told
    assert _separates(-score, question, smallest=10) is told


def test_a_class_below_the_hospitals_minimum_says_nothing(tmp_path):
    folder = _site(tmp_path, _number)
    with (folder / "site.toml").open("a", encoding="utf-8") as file:
        file.write("min_class = 30\n")
    assert list(suspicious(findings(small_study(tmp_path), folder))) == []


@pytest.mark.slow
def test_a_simulations_report_names_the_column_that_leaks(tmp_path):
    overrides = (
        *('privacy={mechanism="none"}', 'arms.run=["federated"]', 'fusion.combinations="primary"'),
        *("training.rounds=1", *(f"sites.{site}.patients=150" for site in ("north", "west", "south"))),
    )
    study = load_study("retina-severity", overrides)
    invent(study, tmp_path / "data")
    for site in study.sites:
        write_site_file(tmp_path / "data" / site, site)
    folder = run_study(study, tmp_path / "data", tmp_path / "results", Console(quiet=True))
    told = [text for text in Results.read(folder).warnings if "suspiciously good" in text]
    assert [text.split(" alone")[0] for text in told] == ['expert: column "expert_opinion"']
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert 'column "expert_opinion" alone separates the outcome' in page.text
