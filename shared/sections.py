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
# Pydantic puts the chosen kind of a union into the path of an error; it is no key of the file.
TAGS = {"tabular", "volume", "bag", "dp-sgd", "none", "site-holdout", "leave-one-site-out", "youden", "declared"}
REMEDIES = {
    "extra_forbidden": "remove the key, or correct its spelling",
    "missing": "add the key",
    "finite_number": "write a finite number",
}


def read_section(kind: type[S], values: Mapping[str, Any], file: str) -> tuple[S | None, list[Problem]]:
    """Validate parsed TOML against a section; return it, or all of the file's problems.

    The offending value is shown only where it is a key or a plain word or number of that file.
    """
    try:
        return kind.model_validate_json(json.dumps(values, default=str)), []
    except ValidationError as error:
        return None, [_problem(details, file) for details in error.errors()]


def _problem(details: Any, file: str) -> Problem:
    place = ".".join(str(part) for part in details["loc"] if part not in TAGS)
    rule = details["msg"].removeprefix("Value error, ")
    kind, given = details["type"], details.get("input")
    if kind not in ("missing", "extra_forbidden") and isinstance(given, (int, float, str)) and len(str(given)) <= 40:
        rule = f"{rule}, got {given}"
    return Problem(file, place, rule, REMEDIES.get(kind, ""))


def shown(path: Path) -> str:
    """Name a file in a message by its own name only: folders may hold a person's or a system's name."""
    return path.name


def duplicates(names: Sequence[str]) -> list[str]:
    """The names that stand more than once, in order."""
    return sorted({name for name in names if names.count(name) > 1})
