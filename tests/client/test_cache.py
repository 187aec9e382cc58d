"""The cache: read once, rebuilt where damaged, read again where a file changed, and private."""

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from client import front_end
from client.archive import Archive, Reading
from client.front_end import FrontEnd
from client.readers.reading import Case, Source
from client.site import Site
from shared.modalities.bag import Bag
from shared.study import Study
from tests.small import hospital, small_study

SCOPE = """
[modalities.scope]
kind = "bag"
encoder = "cnn"
path = "scope/{patient}/*.png"
items = 2
shape = [1, 16, 16]

[sites]"""
SEEN = 6


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Forty patients, six of whom have a picture."""
    made = hospital(tmp_path)
    for number in range(SEEN):
        place = made.data / "scope" / f"north-{number}"
        place.mkdir(parents=True)
        Image.new("L", (20, 20), 20 * number + 1).save(place / "a.png")
    (made.data / "scope" / "north-5" / "b.png").write_text("no picture")
    return made


@pytest.fixture
def study(tmp_path: Path) -> Study:
    from tests import small

    text = small.STUDY.replace("\n[sites]", SCOPE).replace('"clinical+blood"', '"clinical+blood+scope"')
    (tmp_path / "pictures.toml").write_text(text)
    from shared.study_file import load_study

    return load_study(tmp_path / "pictures.toml")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Patients that were read from their files."""
    seen: list[str] = []
    original = FrontEnd.prepared

    def prepared(self: FrontEnd, case: Case) -> front_end.Prepared:
        seen.append(case.patient)
        return original(self, case)

    monkeypatch.setattr(FrontEnd, "prepared", prepared)
    yield seen
    seen.clear()


def read(site: Site, study: Study) -> Reading:
    """As a new program does."""
    return Archive(site, site.state / "cache").reading(study, "scope")


def same(one: Reading, other: Reading) -> bool:
    return one.prepared.equal(other.prepared) and one.present.equal(other.present) and one.faults == other.faults


def test_a_second_program_reads_no_file_and_finds_the_same(site: Site, study: Study, opened: list[str]) -> None:
    plain = Archive(site).reading(study, "scope")
    assert len(opened) == 40
    first = read(site, study)
    assert len(opened) == 80
    second = read(site, study)
    assert len(opened) == 80
    assert same(plain, first)
    assert same(first, second)
    assert int(second.present.sum()) == SEEN
    assert second.faults == {"picture is truncated or not readable": (7,)}
    assert (first.survey.timed, second.survey.timed) == (8, 0)


def test_it_is_mapped_from_the_disk_and_nothing_changes_it(site: Site, study: Study) -> None:
    read(site, study)
    mapped = read(site, study).prepared
    file = next((site.state / "cache").glob("*.npy"))
    assert str(file) in Path("/proc/self/maps").read_text()
    mapped += 1
    assert not read(site, study).prepared.equal(mapped)


def test_only_its_owner_may_read_it(site: Site, study: Study) -> None:
    old = os.umask(0)
    try:
        read(site, study)
    finally:
        os.umask(old)
    files = list((site.state / "cache").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((site.state / "cache").stat().st_mode) == 0o700
    assert not any(b"north" in file.read_bytes() for file in files)


def test_a_changed_file_alone_is_read_again(site: Site, study: Study, opened: list[str]) -> None:
    before = read(site, study)
    opened.clear()
    Image.new("L", (20, 20), 255).save(site.data / "scope" / "north-2" / "a.png")
    Image.new("L", (20, 20), 9).save(site.data / "scope" / "north-3" / "new.png")
    (site.data / "scope" / "north-4" / "a.png").unlink()
    after = read(site, study)
    assert opened == ["north-2", "north-3", "north-4"]
    assert same(after, Archive(site).reading(study, "scope"))
    assert not before.prepared[2].equal(after.prepared[2])
    assert not after.present[4]


def test_rows_in_another_order_are_taken_as_they_are(site: Site, study: Study, opened: list[str]) -> None:
    read(site, study)
    opened.clear()
    header, *rows = (site.data / "patients.csv").read_text().splitlines()
    (site.data / "patients.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    turned = read(site, study)
    assert opened == []
    assert turned.present[-SEEN:].all()
    assert turned.faults == {"picture is truncated or not readable": (36,)}


def damage_values(folder: Path) -> None:
    file = next(folder.glob("*.npy"))
    content = bytearray(file.read_bytes())
    content[-2 - 35 * 4 * 512] ^= 1  # of the fifth patient
    file.write_bytes(content)


def cut_values(folder: Path) -> None:
    file = next(folder.glob("*.npy"))
    file.write_bytes(file.read_bytes()[:-10])


def damage_index(folder: Path) -> None:
    next(folder.glob("*.json")).write_text("{")


def foreign_index(folder: Path) -> None:
    file = next(folder.glob("*.json"))
    file.write_text(json.dumps(json.loads(file.read_text())[:-1]))


def broken_rows(folder: Path) -> None:
    next(folder.glob("*.json")).write_text(json.dumps([[1]] * 40))


@pytest.mark.parametrize("damage", [damage_values, cut_values, damage_index, foreign_index, broken_rows])
def test_what_is_damaged_is_read_again(damage: Any, site: Site, study: Study, opened: list[str]) -> None:
    whole = read(site, study)
    whole = Reading(whole.prepared.clone(), whole.survey)
    opened.clear()
    damage(site.state / "cache")
    assert same(read(site, study), whole)
    assert len(opened) == (1 if damage is damage_values else 40)
    opened.clear()
    assert same(read(site, study), whole)
    assert opened == []


def test_another_section_or_program_has_a_shelf_of_its_own(
    site: Site, study: Study, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(site, study)
    scope = study.modalities["scope"].model_copy(update={"items": 3})
    read(site, study.model_copy(update={"modalities": {**study.modalities, "scope": scope}}))
    monkeypatch.setattr(front_end, "code", lambda: "another version")
    read(site, study)
    assert len(opened) == 120
    assert len(list((site.state / "cache").glob("*.npy"))) == 3


def test_what_was_not_used_for_a_month_is_removed(site: Site, study: Study) -> None:
    read(site, study)
    old = site.state / "cache" / "volume-0.npy"
    old.write_bytes(b"")
    os.utime(old, (time.time() - 40 * 24 * 3600,) * 2)
    next((site.state / "cache").glob("bag*.json")).unlink()
    read(site, study)
    assert not old.exists()


def test_an_interruption_keeps_what_was_read(
    site: Site, study: Study, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = FrontEnd.prepared

    def stopped(self: FrontEnd, case: Case) -> front_end.Prepared:
        if len(opened) == 25:
            raise KeyboardInterrupt
        return counted(self, case)

    with monkeypatch.context() as patch:
        patch.setattr(FrontEnd, "prepared", stopped)
        with pytest.raises(KeyboardInterrupt):
            read(site, study)
    opened.clear()
    assert same(read(site, study), Archive(site).reading(study, "scope"))
    assert len(opened) == 15 + 40


def test_a_table_of_the_folder_is_not_copied(site: Site, tmp_path: Path) -> None:
    Archive(site, site.state / "cache").batch(small_study(tmp_path))
    assert not (site.state / "cache").exists()


def test_several_processes_find_what_one_finds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Bag.model_validate({"kind": "bag", "path": "scope/{patient}/*.png", "items": 2, "shape": (1, 16, 16)})
    cases = [Case(f"north-{number}", {}) for number in range(9)]
    one = [FrontEnd(spec, Source(site.data)).prepared(case) for case in cases]
    monkeypatch.setattr(front_end, "TRIAL", -1.0)
    monkeypatch.setattr(front_end, "WORTH", -1.0)
    monkeypatch.setattr(front_end, "processes", lambda: 2)
    together = FrontEnd(spec, Source(site.data))
    several = list(together.all_prepared(cases))
    assert [found.faults for found in several] == [found.faults for found in one]
    for left, right in zip(several, one, strict=True):
        assert (left.values is None) == (right.values is None)
        assert left.values is None or np.array_equal(left.values, right.values)  # type: ignore[arg-type]


def test_without_other_processes_this_one_reads(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Bag.model_validate({"kind": "bag", "path": "scope/{patient}/*.png", "items": 2, "shape": (1, 16, 16)})
    monkeypatch.setattr(front_end, "TRIAL", -1.0)
    monkeypatch.setattr(front_end, "WORTH", -1.0)
    monkeypatch.setattr(front_end, "processes", lambda: 2)

    def none(*_: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(front_end, "ProcessPoolExecutor", none)
    cases = [Case(f"north-{number}", {}) for number in range(9)]
    assert sum(found.values is not None for found in FrontEnd(spec, Source(site.data)).all_prepared(cases)) == SEEN


def anonymous() -> int:
    """Bytes of this process that no file stands behind."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def test_a_cohort_larger_than_what_is_allowed_stays_on_the_disk(site: Site, study: Study) -> None:
    """250 MB of pictures: read, kept, mapped and summed within 60 MB of memory."""
    scope = study.modalities["scope"].model_copy(update={"size": (3, 512, 512)})
    large = study.model_copy(update={"modalities": {**study.modalities, "scope": scope}})
    Archive(site).reading(study, "clinical")  # libraries
    before = anonymous()
    for _ in range(2):
        reading = read(site, large)
        assert reading.prepared.numel() * 4 > 2.5e8
        assert sum(float(patient.sum()) for patient in reading.prepared) > 0
        assert anonymous() - before < 6e7


def test_other_rules_of_harmonization_have_a_shelf_of_their_own(site: Site, study: Study, opened: list[str]) -> None:
    from client.harmonization import Rules

    read(site, study)
    read(site.model_copy(update={"harmonization": {"labs.csv": Rules()}}), study)
    assert len(opened) == 80
