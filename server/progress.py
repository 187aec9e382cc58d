"""A run as its journal tells it: where it is, and what each hospital last did, as a table for a screen."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from server.diary import read_journal
from shared.study import DpSgd, Study

ASKED = "asked"


@dataclass
class Hospital:
    """What a hospital last did."""

    task: str = ""
    state: str = ""
    asked: float = 0.0  # when, as seconds since 1970
    seconds: float | None = None
    bytes: int = 0  # of all its answers
    answers: int = 0
    epsilon: float | None = None


@dataclass(frozen=True)
class View:
    """One run."""

    label: str
    headline: str
    hospitals: dict[str, Hospital]


def views(folder: Path) -> list[View]:
    """Every run of a folder, the latest last."""
    paths = sorted((folder / "journal").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    return [_view(path.stem, read_journal(path)) for path in paths]


def table(study: Study, view: View) -> Table:
    """Hospitals as rows: last task, how it went, seconds (of who is at work: so far), bytes, epsilon spent and left."""
    budget = study.privacy.epsilon if isinstance(study.privacy, DpSgd) else None
    shown = Table(title=f"{view.label}: {view.headline}", title_justify="left", box=None)
    for name in ("hospital", "last task", "state", "seconds", "answers", "megabytes", "ε spent", "ε left"):
        words = name in ("hospital", "last task", "state")
        shown.add_column(name, justify="left" if words else "right", min_width=30 if name == "state" else None)
    for site, hospital in sorted(view.hospitals.items()):
        spent = 0.0 if hospital.epsilon is None else hospital.epsilon
        shown.add_row(
            site,
            hospital.task,
            hospital.state,
            _seconds(hospital),
            str(hospital.answers),
            f"{hospital.bytes / 1e6:.2f}",
            "" if budget is None else f"{spent:.2f}",
            "" if budget is None else f"{max(0.0, budget - spent):.2f}",
        )
    return shown


def _seconds(hospital: Hospital) -> str:
    if hospital.state == ASKED:
        return f"{time.time() - hospital.asked:.0f}"
    return "" if hospital.seconds is None else f"{hospital.seconds:.1f}"


def _view(label: str, lines: list[dict[str, Any]]) -> View:
    hospitals: dict[str, Hospital] = {}
    headline = "not begun"
    for line in lines:
        headline = _headline(line) or headline
        if line["event"] == "asked":
            for site in line["sites"]:
                one = hospitals.setdefault(site, Hospital())
                one.task, one.state, one.asked, one.seconds = line["task"], ASKED, line["time"], None
        elif line["event"] in ("answered", "failed"):
            _noted(hospitals.setdefault(line["site"], Hospital()), line)
    return View(label, headline, hospitals)


def _noted(one: Hospital, line: dict[str, Any]) -> None:
    one.task = line["task"]
    if line["event"] == "failed":
        one.state = line["sentence"]
        return
    one.state, one.seconds = "answered", line["seconds"]
    one.answers, one.bytes = one.answers + 1, one.bytes + line["bytes"]
    one.epsilon = line["epsilon"] if line["epsilon"] is not None else one.epsilon


def _headline(line: dict[str, Any]) -> str:
    if line["event"] == "round":
        by = ", ".join(line["answered"])
        return f"{line['stage']}, round {line['round']} done in {line['seconds']:.1f} s by {by}"
    return {"finished": "finished", "stopped": f"stopped: {line.get('reason')}"}.get(line["event"], "")
