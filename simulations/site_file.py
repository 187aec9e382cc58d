"""Writes the site.toml of a simulated hospital; a real hospital writes its own."""

from pathlib import Path

TEXT = """# A simulated hospital. A real one writes this file itself; it is never sent, and no program rewrites it.
name = "{name}"
data = "."
state = "state"

[limits]
max_epsilon = {max_epsilon}
allow_without_privacy = true   # invented or public patients; leave it out where patients are real
min_cell = 5
min_class = 10
min_patients = 20
"""


def write_site_file(folder: Path, name: str, max_epsilon: float = 100.0) -> None:
    """``folder``/site.toml with the usual limits."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(TEXT.format(name=name, max_epsilon=max_epsilon), encoding="utf-8")
