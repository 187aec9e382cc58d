"""The hospital's file: refused with every problem, its folders resolved from its own place, nothing of it shown."""

from pathlib import Path

import pytest

from client.site import load_site
from shared.errors import SiteError

GOOD = 'name = "north"\ndata = "tables"\n[limits]\nmax_epsilon = 10\n'


def _write(folder: Path, text: str = GOOD) -> Path:
    (folder / "tables").mkdir(exist_ok=True)
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(path)
    text = str(caught.value)
    assert str(path.parent) not in text
    return text


def test_folders_start_at_the_files_own_place(tmp_path: Path) -> None:
    site = load_site(_write(tmp_path))
    assert (site.data, site.state) == (tmp_path / "tables", tmp_path / "state")
    assert not site.state.exists()


def test_the_limits_default_to_careful_ones(tmp_path: Path) -> None:
    limits = load_site(_write(tmp_path)).limits
    assert (limits.min_cell, limits.min_class, limits.min_patients) == (5, 10, 20)
    assert not limits.allow_without_privacy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_epsilon = 10", "", "site.toml: limits.max_epsilon: is missing (add it)"),
        ("max_epsilon = 10", "max_epsilon = inf", "limits.max_epsilon: must be a finite number, got inf"),
        ("max_epsilon = 10", "max_epsilon = 0", "limits.max_epsilon: Input should be greater than 0, got 0"),
        ("max_epsilon", "maximum", "limits.maximum: is not a known key"),
        ("[limits]\n", "", "limits: is missing"),
        ('"north"', '"nord klinik"', "name: a name is letters, digits, - and _, got nord klinik (rename it)"),
        ('"tables"', '"absent"', "site.toml: data: the folder does not exist (correct the path)"),
        ('"tables"', '"tables', "site.toml: not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert message in _refusal(_write(tmp_path, GOOD.replace(old, new)))


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = _refusal(_write(tmp_path, 'naem = "north"\n[limits]\nmax_epsilon = nan\n'))
    assert text.count("site.toml: ") == 3


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert "no such file (name the hospital's site.toml)" in _refusal(tmp_path / "site.toml")
    (tmp_path / "folder").mkdir()
    assert "is not a readable UTF-8 text file" in _refusal(tmp_path / "folder")
    (tmp_path / "latin.toml").write_bytes(GOOD.replace("tables", "Akten-Köln").encode("latin-1"))
    assert "is not a readable UTF-8 text file" in _refusal(tmp_path / "latin.toml")
