"""Hospitals with bad input in a whole simulation: told or left out, never lost, and never a reason to begin in vain."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from server.run_folder import fresh_folder
from shared.command_line import INTERRUPTED, WRONG_CALL, run_command
from simulations.__main__ import parser, run
from tests.small import STUDY, hospital

SITES = ("north", "west", "south")
QUICK = ("training.rounds=2", "training.steps=1")


def _hospitals(folder: Path, **patients: int) -> Path:
    data = folder / "hospitals"
    for name in SITES:
        hospital(data, name, open_to_all=True, patients=patients.get(name, 40))
    (folder / "small.toml").write_text(STUDY, encoding="utf-8")
    return data


def _words(folder: Path, *overrides: str) -> list[str]:
    settings = [part for text in overrides for part in ("--set", text)]
    places = ["--data", str(folder / "hospitals"), "--results", str(folder / "results")]
    return ["run", str(folder / "small.toml"), *places, *settings]


def _run(folder: Path, *overrides: str) -> int:
    given = parser().parse_args(_words(folder, *overrides))
    return run_command(lambda: run(given))


def _results(folder: Path) -> list[Path]:
    return sorted((folder / "results").glob("small-*"))


def _rewrite(site: Path, *changes: tuple[str, str]) -> None:
    text = (site / "patients.csv").read_text()
    for old, new in changes:
        text = text.replace(old, new)
    (site / "patients.csv").write_text(text)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """A private study: five patients at ``west``, one class and no blood at ``south``, an unread crp at ``north``."""
    folder = tmp_path_factory.mktemp("odd")
    data = _hospitals(folder, west=5)
    _rewrite(data / "south", (",no,", ",yes,"), ("crp,hb", "Kreatinin,Blut"))
    _rewrite(data / "north", ("crp,", "CRP (mg/l),"))
    assert _run(folder, *QUICK) == 0
    (made,) = _results(folder)
    return json.loads((made / "results.json").read_text()), (made / "report.html").read_text()


def _metrics(results: dict[str, Any], **wanted: object) -> list[dict[str, Any]]:
    found = [row for row in results["metrics"] if all(row[key] == value for key, value in wanted.items())]
    assert found
    return found


def test_a_hospital_of_five_patients_trains_and_reports_nothing(results: tuple[dict[str, Any], str]) -> None:
    (north,) = [row for row in results[0]["cohorts"] if (row["site"], row["name"]) == ("north", "train")]
    assert (north["n"], north["events"]) == (30, None)
    assert north["reason"] == "training patients: not released under privacy"
    for count in (row for row in results[0]["cohorts"] if row["site"] == "west"):
        assert (count["n"], count["events"], count["reason"]) == (None, None, "too few to report")
    for row in _metrics(results[0], site="west", cohort="internal"):
        assert (row["estimate"], row["n"], row["reason"]) == (None, None, "too few to report")
    spent = {row["site"] for row in results[0]["privacy"]["sites"]}
    assert spent == {"north", "west"}


def test_a_hospital_of_one_class_has_no_auc_and_says_why(results: tuple[dict[str, Any], str]) -> None:
    for row in _metrics(results[0], site="south", cohort="external", model="clinical", metric="auc"):
        assert (row["estimate"], row.get("low"), row.get("high"), row["reason"]) == (None, None, None, "one class only")
    (count,) = [row for row in results[0]["cohorts"] if row["site"] == "south"]
    assert (count["n"], count["events"]) == (40, 40)


def test_a_modality_that_no_patient_of_a_hospital_has_does_not_change_whom_figures_are_of(
    results: tuple[dict[str, Any], str],
) -> None:
    rows = _metrics(results[0], site="south", cohort="external", metric="auc")
    assert {row["model"] for row in rows} == {"clinical", "blood", "clinical+blood"}
    assert {(row["estimate"], row["n"], row["events"], row["reason"]) for row in rows} == {
        (None, 40, 40, "one class only")
    }


def test_a_report_is_made_all_the_same_and_names_no_patient(results: tuple[dict[str, Any], str]) -> None:
    assert "one class only" in results[1]
    for text in (json.dumps(results[0]), results[1]):
        assert not any(f"{site}-{number}" in text for site in SITES for number in range(40))


def test_hospitals_that_cannot_be_read_are_refused_before_training_all_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _hospitals(tmp_path)
    (data / "north" / "patients.csv").write_bytes("patient_id,ill\nSECRET-ü,yes\n".encode("latin-1"))
    (data / "west" / "patients.csv").unlink()
    _rewrite(data / "south", ("patient_id,ill", "patient_id,krank"))
    assert _run(tmp_path) == WRONG_CALL
    err = capsys.readouterr().err
    assert [line.split(" (")[0] for line in err.splitlines()] == [
        "north/patients.csv: is not utf-8 text",
        "west/patients.csv: no such file in the hospital's folder",
        "south/patients.csv: column ill: is missing",
    ]
    assert "SECRET" not in err
    assert _results(tmp_path) == []


def test_hospitals_that_are_absent_or_misnamed_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _hospitals(tmp_path)
    (data / "west" / "site.toml").unlink()
    site_file = data / "south" / "site.toml"
    site_file.write_text(site_file.read_text().replace('"south"', '"east"'))
    assert _run(tmp_path) == WRONG_CALL
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "west/site.toml: no such file in the data folder (import or invent this hospital)"
    assert lines[1].startswith('south/site.toml: name: "east" is not the name of its folder')
    assert _results(tmp_path) == []


def test_limits_that_rule_the_study_out_are_told_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _hospitals(tmp_path)
    assert _run(tmp_path, "privacy.epsilon=20") == WRONG_CALL
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{site}/site.toml" for site in SITES]
    assert "the study asks for epsilon 20, this hospital allows 10" in lines[0]
    assert _results(tmp_path) == []


def test_a_hospital_under_privacy_only_is_not_asked_for_more(tmp_path: Path) -> None:
    hospital(_hospitals(tmp_path), "west", open_to_all=False)
    assert _run(tmp_path, *QUICK) == 0
    (made,) = _results(tmp_path)
    results = json.loads((made / "results.json").read_text())
    assert {row["private"] for row in results["metrics"]} == {True}
    assert "not run without privacy for comparison, since it is not allowed by west" in results["warnings"]


def test_a_wrong_study_is_refused_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hospitals(tmp_path)
    assert _run(tmp_path, "training.round=2", "privacy.epsilon=nan") == WRONG_CALL
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert not (tmp_path / "results").exists()


def test_a_study_without_invented_hospitals_asks_for_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.toml").write_text(STUDY, encoding="utf-8")
    given = parser().parse_args(["run", str(tmp_path / "small.toml"), "--results", str(tmp_path / "results")])
    assert run_command(lambda: run(given)) == WRONG_CALL
    assert "name a folder: --data DIR" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    assert len({fresh_folder(tmp_path / "same-second", "small") for _ in range(20)}) == 20
    _hospitals(tmp_path)
    settings = ('privacy={mechanism="none"}', *QUICK)
    assert _run(tmp_path, *settings) == 0
    (first,) = _results(tmp_path)
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert _run(tmp_path, *settings) == 0
    assert len([folder for folder in _results(tmp_path) if (folder / "results.json").is_file()]) == 2
    assert {path: path.read_bytes() for path in before} == before


# `python -m simulations` that hears Ctrl-C even where this suite, in the background, was told to ignore it.
LISTENING = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("simulations", run_name="__main__", alter_sys=True)
"""


def test_an_interrupted_simulation_says_what_it_kept(tmp_path: Path) -> None:
    _hospitals(tmp_path)
    words = _words(tmp_path, "training.rounds=9000", "training.steps=1")
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENING, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 60
        while not list(tmp_path.glob("results/*/checkpoints/*.safetensors")) and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in err
    assert "Kept in" in out
    (made,) = _results(tmp_path)
    assert list(made.glob("checkpoints/*.safetensors"))
    assert list(made.glob("hospitals/north/*/ledger.jsonl"))
