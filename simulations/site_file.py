"""Writes the site.toml of a simulated hospital; a real hospital writes its own."""

from pathlib import Path

TEXT = """# A simulated hospital. A real one writes this file itself; it is never sent, and no program rewrites it.
name = "{name}"
data = "."
state = "state"

[limits]
max_epsilon = 100.0
max_delta = 0.1
allow_without_privacy = true   # invented or public patients; leave it out where patients are real
min_cell = {min_cell}
min_class = {min_class}
min_patients = {min_patients}
"""


def write_site_file(folder: Path, name: str, min_cell: int = 5, min_class: int = 10, min_patients: int = 20) -> None:
    """``folder``/site.toml; the limits are the defaults of a hospital unless given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(
        TEXT.format(name=name, min_cell=min_cell, min_class=min_class, min_patients=min_patients), encoding="utf-8"
    )
