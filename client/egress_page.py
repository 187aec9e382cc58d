"""Prints what left this hospital, newest last, and whether its books hold together."""

from collections import Counter
from pathlib import Path
from typing import Any

from client.chain import read_chain
from client.egress_log import RESOLVED
from client.page import columns, page
from client.site import load_site
from client.state import EGRESS, LEDGER, locked
from client.verification import faults_of
from shared.command_line import DONE, FAILED

SHAPES = 2  # kinds of arrays that a line names


def print_egress(site_file: Path, last: int) -> int:
    """The command: the last messages; 0 for all."""
    site, console = load_site(site_file), page()
    reading = read_chain(site.state / EGRESS)
    names = {link.values["run"]["study"]: link.values["study_name"] for link in read_chain(site.state / LEDGER).links}
    links = reading.links[-last:] if last else reading.links
    console.print(f"What left {site.name}: {len(links)} of {len(reading.links)} messages", style="bold")
    shown = columns("time", "run", "message", "arrays", "bytes", "norm", "epsilon")
    for link in links:
        shown.add_row(*_row(link.values, names))
    if links:
        console.print(shown)
    if reading.breaks:
        console.print("The log does not hold together: --verify says where.")
    return DONE


def verify(site_file: Path) -> int:
    """The command: one line a fault; waits while the agent writes."""
    site, console = load_site(site_file), page()
    if not site.state.is_dir():
        console.print("There are no books yet.")
        return DONE
    with locked(site.state):
        faults = faults_of(site.state)
        lines = [len(read_chain(site.state / name).links) for name in (LEDGER, EGRESS)]
    for fault in faults:
        console.print(fault, soft_wrap=True)
    if not faults:
        console.print(
            f"The books hold together: {lines[0]} lines of the ledger, each with its release in the outbox and in the "
            f"egress log of {lines[1]} lines."
        )
    return FAILED if faults else DONE


def _row(values: dict[str, Any], names: dict[str, str]) -> list[str]:
    when = values["time"].replace("T", " ").removesuffix("+00:00")
    if values["kind"] == RESOLVED:
        return [when, "", f"signed off by {values['by']}", values["reason"], "", "", ""]
    study = values["study"]
    run = f"{names.get(study, study[:12])} {values['fold']} {values['arm']}" if study else ""
    message = [str(values[key]) for key in ("kind", "stage", "round", "code") if values[key] is not None]
    norm = f"{values['norm']:.4g}" if values["arrays"] else ""
    epsilon = "" if values["epsilon"] is None else f"{values['epsilon']:.3f}"
    return [when, run, " ".join(message), _summary(values["arrays"]), f"{values['bytes']:,}", norm, epsilon]


def _summary(arrays: dict[str, list[int]]) -> str:
    """Arrays by shape: "4 of 1x3, 2 others"."""
    shapes = Counter("x".join(str(side) for side in shape) or "1" for shape in arrays.values()).most_common()
    others = len(arrays) - sum(count for _, count in shapes[:SHAPES])
    told = [f"{count} of {shape}" for shape, count in shapes[:SHAPES]] + [f"{others} others"] * bool(others)
    return ", ".join(told)
