"""The base of every section of a file that people write: strict, frozen, closed, finite."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Problem

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]


class Section(BaseModel):
    """Unknown keys, wrong types, NaN and infinity are errors; nothing can be changed afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound=Section)
# Pydantic's name of a fault: the rule in the words of a file, filled from the fault's context, and the remedy.
WORDS = {
    "extra_forbidden": ("is not a known key", "remove it, or correct its spelling"),
    "missing": ("is missing", "add it"),
    "union_tag_not_found": ("is missing", "add it"),
    "union_tag_invalid": ("must be one of {expected_tags}", ""),
    "finite_number": ("must be a finite number", ""),
    "too_short": ("needs at least {min_length}", ""),
    "string_pattern_mismatch": ("a name is letters, digits, - and _", "rename it"),
}
UNSHOWN = {"missing", "extra_forbidden", "union_tag_not_found"}  # faults without a value to show


def read_section(kind: type[S], values: Mapping[str, Any], file: str) -> tuple[S | None, list[Problem]]:
    """Validate parsed TOML against a section; return it, or all of the file's problems.

    The offending value is shown only where it is a key or a plain word or number of that file.
    """
    try:
        return kind.model_validate_json(json.dumps(values, default=str)), []
    except ValidationError as error:
        return None, [_problem(details, values, file) for details in error.errors()]


def _problem(details: Any, values: Mapping[str, Any], file: str) -> Problem:
    kind, given, context = details["type"], details.get("input"), details.get("ctx", {})
    rule, remedy = WORDS.get(kind, (details["msg"].removeprefix("Value error, "), ""))
    if kind in WORDS:
        rule = rule.format_map(context)
    place = _place(details["loc"], values, kind)
    if "discriminator" in context:
        place, given = [*place, context["discriminator"].strip("'")], context.get("tag")
    if kind not in UNSHOWN and isinstance(given, (int, float, str)) and len(str(given)) <= 40:
        rule = f"{rule}, got {given}"
    return Problem(file, ".".join(place), rule, remedy)


def _place(path: Sequence[int | str], values: Any, kind: str) -> list[str]:
    """Keys from the file's root to a fault; pydantic's path also holds the chosen kind of a union, which is no key."""
    keys: list[str] = []
    for part in path:
        if isinstance(part, int):
            values = values[part] if part < len(values) else None
        elif isinstance(values, Mapping) and part in values:
            values = values[part]
        elif kind != "missing" or part != path[-1]:
            continue
        keys.append(str(part))
    return keys


def shown(path: Path) -> str:
    """Name a file in a message by its own name only: folders may hold a person's or a system's name."""
    return path.name


def duplicates(names: Sequence[str]) -> list[str]:
    """The names that stand more than once, in order."""
    return sorted({name for name in names if names.count(name) > 1})
