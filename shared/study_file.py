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
    values = _parsed(path)
    earlier: list[str] = []
    if path.suffix == ".json":  # the canonical text, as it travels; only there overrides can stand already
        earlier = values.pop("overrides", earlier)
    elif "overrides" in values:
        raise StudyError([Problem(path.name, "overrides", "is written by --set only", "remove the key")])
    if problems := [problem for override in overrides if (problem := _applied(values, override))]:
        raise StudyError(problems)
    return _checked({**values, "overrides": [*earlier, *overrides]}, path.name)


def _parsed(path: Path) -> dict[str, Any]:
    """The file as TOML, or JSON by its ending; StudyError where it is neither or cannot be opened."""
    try:
        text = path.read_text(encoding="utf-8")
        values: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        problem = Problem(path.name, "", "no such file, and no study of that name", f"known: {', '.join(catalog())}")
    except UnicodeDecodeError:
        problem = Problem(path.name, "", "is not UTF-8 text", "save it as UTF-8")
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        problem = Problem(path.name, "", f"not valid {kind}: {error}", "correct it at that line")
    except OSError as error:
        problem = Problem(path.name, "", f"cannot be opened: {error.strerror}", "name a study file")
    else:
        if isinstance(values, dict):
            return values
        problem = Problem(path.name, "", "holds no sections", "name a study file")
    raise StudyError([problem])


def study_from_text(text: str) -> Study:
    """A study from the canonical text that travels with every message; StudyError where it is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise StudyError([Problem("study", "", "is not the text of a study", "send what Medley wrote")])
    return _checked(values, "study")


def _checked(values: dict[str, Any], file: str) -> Study:
    study, problems = read_section(Study, values, file)
    if study is None:
        raise StudyError(problems)
    if found := [Problem(file, place, rule, remedy) for place, rule, remedy in faults(study)]:
        raise StudyError(found)
    return study


def _applied(values: dict[str, Any], override: str) -> Problem | None:
    """Put an override into the parsed file; returns the problem if that cannot be done."""
    place, equals, text = override.partition("=")
    *sections, key = (part.strip() for part in place.split("."))
    if not (equals and key and all(sections)):
        return Problem("--set", override, "must be section.key=value", "for instance training.rounds=40")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            return Problem("--set", place, f'"{section}" is a value, not a section', "correct the key")
    values[key] = value
    return None
