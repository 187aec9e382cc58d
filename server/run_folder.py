"""The folder of one run of a study over hospitals: what was asked for, so that it can be followed and resumed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from server.disk import write_whole
from shared.errors import FileError, Problem
from shared.sections import Section
from shared.study import Study
from shared.study_file import load_study


class Plan(Section):
    """``run.json``: the federation that runs the study, and which of its arms."""

    federation: str  # path of federation.toml
    arms: tuple[Literal["federated", "alone"], ...]
    deadline: float  # seconds for an answer


def fresh_folder(results: Path, name: str) -> Path:
    """A new results folder ``<study>-<time>``; an existing one is never used again."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        folder = results / f"{name}-{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError:
            problem = Problem("--results", results.name, "no folder can be made there", "name another one")
            raise FileError([problem]) from None
        return folder
    raise FileExistsError("a thousand runs in one second")


def open_folder(results: Path, study: Study, plan: Plan) -> Path:
    """A new folder with the study and the plan in it."""
    folder = fresh_folder(results, study.name)
    write_whole(folder / "study.json", study.text.encode())
    write_whole(folder / "run.json", plan.model_dump_json(indent=2).encode())
    return folder


def read_folder(folder: Path) -> tuple[Study, Plan]:
    """The study and the plan of a run's folder; FileError if it is none."""
    try:
        plan = Plan.model_validate_json((folder / "run.json").read_bytes())
    except (OSError, ValidationError):
        rule, remedy = "is no folder that `python -m server run` made", "name a folder under the federation's results"
        raise FileError([Problem(folder.name, "run.json", rule, remedy)]) from None
    return load_study(folder / "study.json"), plan
