"""A hospital draws its own patients for its own people: by line, for the owner only, and the other lines refused."""

from pathlib import Path

import pytest

from client.show.picture import show_line
from shared.errors import FileError
from tests.small import hospital, small_study


def test_a_line_is_drawn_for_its_owner_only(tmp_path: Path) -> None:
    site, study = hospital(tmp_path), small_study(tmp_path)
    target = tmp_path / "picture.png"
    show_line(site, study, 3, target)
    assert target.read_bytes().startswith(b"\x89PNG")
    assert target.stat().st_mode & 0o777 == 0o600
    assert not site.state.exists()  # nothing is kept or logged


@pytest.mark.parametrize(("line", "name"), [(1, "a.png"), (4000, "a.png"), (3, "a.txt"), (3, "missing/a.png")])
def test_what_cannot_be_drawn_is_refused_without_a_patient(line: int, name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        show_line(hospital(tmp_path), small_study(tmp_path), line, tmp_path / name)
    assert "north-" not in str(caught.value)
    assert not (tmp_path / name).exists()
