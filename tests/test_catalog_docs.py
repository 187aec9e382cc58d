"""docs/catalog.md says of each published design what its study file says, and shows every contact sheet."""

import re
from pathlib import Path

from shared.modalities import MODALITIES
from shared.study_file import catalog, load_study

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "catalog.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    _, found, rest = PAGE.partition(f"\n## {heading}\n")
    assert found, heading
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_what_is_inferred_is_what_the_files_say() -> None:
    told = {name: load_study(name).source.inferred for name in catalog()}
    expected = [[f"`{name}`", "; ".join(sentences)] for name, sentences in told.items() if sentences]
    assert rows("Design inferred") == expected


def test_every_contact_sheet_is_shown_with_its_modality() -> None:
    shown = [
        (row[0].strip("`"), file) for row in rows("Contact sheets") for file in re.findall(r"\((sheets/.*?)\)", row[1])
    ]
    assert sorted(file for _, file in shown) == sorted(f"sheets/{path.name}" for path in (DOCS / "sheets").iterdir())
    assert all(kind in MODALITIES and re.match(rf"sheets/{kind}[-.]", file) for kind, file in shown)
