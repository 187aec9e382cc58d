"""Reads a study file, or one of the catalog by its name, with overrides; reports all its faults at once."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import Problem, StudyError
from shared.sections import read_section
from shared.study import Study
from shared.study_rules import faults

CATALOG = Path(__file__).parent / "studies"


def catalog() -> list[str]:
    """Names of the studies that come with Medley."""
    return sorted(path.stem for path in CATALOG.glob("*.toml"))


def load_study(where: str | Path, overrides: Sequence[str] = ()) -> Study:
    """A study by the catalog's name or by path; ``overrides`` are "section.key=value" with a TOML value.

    Raises StudyError with every problem of the file.
    """
    path = CATALOG / f"{where}.toml" if str(where) in catalog() else Path(where)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":  # the canonical text, as it travels
            return study_from_text(text)
        values = tomllib.loads(text)
    except FileNotFoundError:
        names = ", ".join(catalog())
        raise StudyError(
            [Problem(path.name, "", "no such file, and no study of that name", f"known: {names}")]
        ) from None
    except IsADirectoryError:
        raise StudyError([Problem(path.name, "", "is a folder", "name a study file")]) from None
    except UnicodeDecodeError:
        raise StudyError([Problem(path.name, "", "is not UTF-8 text", "save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError([Problem(path.name, "", f"not valid TOML: {error}")]) from None
    if "overrides" in values:
        raise StudyError([Problem(path.name, "overrides", "is written by --set only", "remove the key")])
    for override in overrides:
        _apply(values, override)
    return _checked({**values, "overrides": list(overrides)}, path.name)


def study_from_text(text: str) -> Study:
    """A study from the canonical text that travels with every message."""
    return _checked(json.loads(text), "study")


def _checked(values: dict[str, Any], file: str) -> Study:
    study, problems = read_section(Study, values, file)
    if study is None:
        raise StudyError(problems)
    if found := [Problem(file, place, rule, remedy) for place, rule, remedy in faults(study)]:
        raise StudyError(found)
    return study


def _apply(values: dict[str, Any], override: str) -> None:
    place, equals, text = override.partition("=")
    if not (place and equals):
        raise StudyError([Problem("--set", override, "must be section.key=value")])
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *sections, key = place.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise StudyError([Problem("--set", place, f'"{section}" is a value, not a section')])
    values[key] = value
