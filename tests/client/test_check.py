"""``python -m client check``: what it tells of clean and dirty folders, its exit codes, and that nothing is left."""

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from client.__main__ import check, parser
from client.splits import roles
from shared.cohorts import folds
from shared.command_line import run_command
from shared.study_file import catalog
from tests.small import STUDY, hospital, small_study

PICTURES = """
[modalities.ct]
kind = "volume"
path = "ct"
spacing = [4.0, 4.0, 4.0]
shape = [8, 8, 8]
window = [-100, 300]

[modalities.scope]
kind = "bag"
path = "scope/{patient}/*.png"
items = 2
shape = [3, 16, 16]
"""


def _study(folder: Path, *changes: tuple[str, str]) -> Path:
    text = STUDY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return folder / "small.toml"


def _check(site: Path, study: Path | str, *overrides: str) -> int:
    settings = [part for text in overrides for part in ("--set", text)]
    given = parser().parse_args(["check", str(site), "--study", str(study), *settings])
    return run_command(lambda: check(given))


def _rows(site: Path) -> list[list[str]]:
    return [line.split(",") for line in (site / "patients.csv").read_text().splitlines()]


def _write(site: Path, rows: list[list[str]]) -> None:
    (site / "patients.csv").write_text("\n".join(",".join(row) for row in rows))


def _pictures(site: Path) -> None:
    """Volumes for three patients, of which one can be read, and two pictures, of which one can be read."""
    (site / "ct").mkdir()
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.diag([4.0, 4, 4, 1])), site / "ct" / "good.nii")
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)), site / "ct" / "flow.nii")
    (site / "ct" / "cut.nii").write_bytes((site / "ct" / "good.nii").read_bytes()[:400])
    rows = _rows(site)
    files = ["ct/good.nii", "ct/flow.nii", "ct/cut.nii", "ct/gone.nii", "../north/ct/good.nii", "../x"]
    cells = ["ct", *files, *[""] * len(rows)]
    _write(site, [[*row, cell] for row, cell in zip(rows, cells, strict=False)])
    for number, content in ((0, None), (1, b"no picture")):
        place = site / "scope" / f"north-{number}"
        place.mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(place / "a.png")
        if content:
            (place / "a.png").write_bytes(content)


def test_a_clean_folder_can_be_used_and_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = hospital(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert _check(site.data / "site.toml", _study(tmp_path)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert sorted({*before, tmp_path / "small.toml"}) == sorted(tmp_path.rglob("*"))
    assert "This hospital trains, keeps 25% of its patients aside to validate." in out
    assert "epsilon 8 a run at delta 0.0001; runs that train here: 1. This hospital allows epsilon 10" in out
    assert "patients.csv: 40 rows read, 40 eligible, 0 excluded" in out
    assert "none: training patients are not reported under privacy" in out
    assert "The folder can be used. Nothing was written or sent." in out


def test_a_dirty_folder_is_told_by_rule_and_line_and_never_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = hospital(tmp_path)
    study = _study(tmp_path, ("\n[sites]", PICTURES + "\n[sites]"), ('"clinical+blood"', '"clinical+blood+ct+scope"'))
    _pictures(site.data)
    rows = _rows(site.data)
    rows[0][2], rows[0][5] = "Age (years)", "Hb [g/dl]"
    rows[8][4], rows[9][1], rows[10][3] = "17345", "", "SECRET"
    rows.append(list(rows[11]))
    rows[0].append("ward")
    _write(site.data, rows)
    assert _check(site.data / "site.toml", study) == 0
    out, _ = capsys.readouterr()
    told = " ".join(out.split())
    for part in (
        "41 rows read, 39 eligible, 2 excluded",
        "3 columns are not read by the study: Age (years), Hb [g/dl], ward",
        "excluded: outcome missing 1 10",
        "excluded: a copy of another row 1 42",
        "kept: fewer cells than columns, the others read as empty 39 2, 3, 4, 5, 6, 7, …",
        "blood: crp: outside [0, 200], read as missing",
        "clinical: sex: not one of f, m, read as missing 1 11",
        "ct 2 37 1 x 8 x 8 x 8",
        "ct: not a three-dimensional volume 1 3",
        "ct: file is truncated or not NIfTI 1 4",
        "ct: file not found 1 5",
        "ct: path leaves the hospital's folder 1 7",
        "scope: picture is truncated or not readable 1 3",
        'clinical: whole column "age" missing, read as missing for all; the table has "Age (years)"?',
        'blood: whole column "hb" missing, read as missing for all; the table has "Hb [g/dl]"?',
    ):
        assert part in told
    for secret in ("17345", "SECRET", "north-", "gone", str(tmp_path)):
        assert secret not in out


def test_small_and_one_class_hospitals_may_train_and_are_warned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = hospital(tmp_path, patients=5, open_to_all=True)
    study = _study(tmp_path)
    assert _check(site.data / "site.toml", study, 'privacy={mechanism="none"}') == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "the study declares 40 patients here and 5 are eligible: tell the coordinator" in told
    assert "train: below 20 patients or 10 of each class; these patients take part, but their figures stay here" in told
    assert "none: too few to report" in told
    south = hospital(tmp_path, "south")
    _write(south.data, [[cell if cell != "no" else "yes" for cell in row] for row in _rows(south.data)])
    assert _check(south.data / "site.toml", study) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "This hospital is external: validates, does not train." in told
    assert "external: one class only; these patients take part, but no AUC can be computed" in told


def test_a_large_hospital_with_few_events_is_warned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    south = hospital(tmp_path, "south")
    header, *rows = _rows(south.data)
    _write(south.data, [header, *([row[0], "yes" if place < 9 else "no", *row[2:]] for place, row in enumerate(rows))])
    assert _check(south.data / "site.toml", _study(tmp_path)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "external 40 9 31 none: too few to report" in told
    assert "external: below 20 patients or 10 of each class" in told


def test_a_modality_that_nobody_has_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = hospital(tmp_path, "south")
    _write(site.data, [row[:4] for row in _rows(site.data)])
    assert _check(site.data / "site.toml", _study(tmp_path)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "blood: no patient has it, so this hospital's part in its models would be noise" in told
    assert "ask the coordinator to declare that it is lacking" in told
    assert 'whole column "crp" missing' in told
    assert "external 40 20 20 all" in told  # every model is scored on every patient
    declared = ("south = { patients = 40 }", 'south = { patients = 40, lacks = ["blood"] }')
    (tmp_path / "declared").mkdir()
    assert _check(site.data / "site.toml", _study(tmp_path / "declared", declared)) == 0
    assert "no patient has it" not in capsys.readouterr().out
    lacks = ("south = { patients = 40 }", 'south = { patients = 40, lacks = ["clinical"] }')
    assert _check(site.data / "site.toml", _study(tmp_path, lacks)) == 0
    assert "clinical: the study says that this hospital lacks it, and patients have it" in capsys.readouterr().out


def test_the_hospitals_limits_win_and_all_refusals_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, study = hospital(tmp_path, max_epsilon=4.0), _study(tmp_path)
    (site.data / "patients.csv").unlink()
    assert _check(site.data / "site.toml", study) == 2
    assert capsys.readouterr().err.splitlines() == [
        "site.toml: limits: the study asks for epsilon 8, this hospital allows 4 "
        "(ask for a smaller epsilon, or raise limits.max_epsilon)",
        "patients.csv: no such file in the hospital's folder (put the table there, or correct data in site.toml)",
    ]
    assert _check(site.data / "site.toml", study, 'privacy={mechanism="none"}') == 2
    assert "takes part under differential privacy only" in capsys.readouterr().err


def test_several_runs_that_pass_the_limit_together_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = hospital(tmp_path, max_epsilon=10.0)
    assert _check(site.data / "site.toml", _study(tmp_path), 'arms.run=["alone", "federated", "pooled"]') == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "if all 2 runs that train here are made for real, a patient spends epsilon 12." in told


def test_a_hospital_that_is_not_in_the_study_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = hospital(tmp_path)
    assert _check(site.data / "site.toml", "uci-heart") == 2
    assert '"north" is not a site of uci-heart (its sites are cleveland, hungary,' in capsys.readouterr().err


def test_both_files_faults_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path / "site.toml", "lscc-stagin") == 2
    assert capsys.readouterr().err.splitlines() == [
        "site.toml: no such file (name the hospital's site.toml)",
        f"lscc-stagin: no such file, and no study of that name (known: {', '.join(catalog())})",
    ]


def test_patients_that_changed_since_the_split_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from client.cohort import read_cohort

    site, study = hospital(tmp_path), small_study(tmp_path)
    roles(read_cohort(site, study), study, folds(study)[0], site.name, site.state)
    _write(site.data, _rows(site.data)[:-1])
    assert _check(site.data / "site.toml", tmp_path / "small.toml") == 2
    assert "the split was fixed for other patients: 0 are new, 1 are gone" in capsys.readouterr().err


def test_strict_refuses_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = hospital(tmp_path)
    _pictures(site.data)
    study = str(_study(tmp_path, ("[outcome]", PICTURES + "\n[outcome]")))
    words = ["check", str(site.data / "site.toml"), "--study", study]
    assert run_command(lambda: check(parser().parse_args(words))) == 0
    capsys.readouterr()
    assert run_command(lambda: check(parser().parse_args([*words, "--strict"]))) == 2
    told = capsys.readouterr().err
    assert "patients.csv" in told
    assert "Traceback" not in told
    assert "ct, line" in told
    assert "scope, line" in told


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "client", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def test_help_has_an_example_and_needs_no_torch() -> None:
    script = (
        "import sys; from client.__main__ import parser; parser().format_help();"
        "assert not {'torch', 'pandas', 'pydantic', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    done = _command("check", "--help")
    assert done.returncode == 0
    assert "python -m client check site.toml --study study.toml" in done.stdout


def test_a_wrong_call_is_told_by_the_command_line() -> None:
    done = _command("check")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
