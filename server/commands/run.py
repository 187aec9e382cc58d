"""``python -m server run federation.toml --study study.toml``: a study over the federation, to its report."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shared.command_line import DONE, metrics_option

if TYPE_CHECKING:
    from server.federation_file import Federation

PURPOSE = "run a study over the connected hospitals, follow it, and write its report"


def add(command: argparse.ArgumentParser) -> None:
    """Its options."""
    command.add_argument("federation", type=Path, help="the coordinator's federation.toml")
    command.add_argument("--study", required=True, help="a study of the catalog by its name, or a study file")
    command.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key")
    command.add_argument(
        "--arm", action="append", choices=["federated", "alone"], help="which arm; again for both (default: federated)"
    )
    metrics_option(command)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from server.federation_file import load_federation
    from server.run_folder import Plan, open_folder
    from shared.study_file import load_study

    federation = load_federation(arguments.federation)
    study = load_study(arguments.study, arguments.set)
    arms = tuple(arguments.arm or ["federated"])
    plan = Plan(federation=str(federation.path), arms=arms, deadline=federation.file.deadline)
    return finish(federation, open_folder(federation.results, study, plan), arguments.metrics)


def finish(federation: "Federation", folder: Path, metrics: int | None) -> int:
    """Run what the folder's plan has left, with metrics at a port if one is given, and write the report."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from server.exporter import OfRun
    from server.follow import Job, run_arm
    from server.progress import table, views
    from server.results_folder import write_all
    from server.run_folder import read_folder
    from shared.exporter import exported

    study, plan = read_folder(folder)
    console = Console()
    console.print(f"{study.name}, digest {study.digest[:12]}; folder: {folder}", highlight=False, soft_wrap=True)
    waiting = Text("waiting for the server app and the hospitals")
    with exported(metrics, OfRun(folder)), Live(console=console, auto_refresh=False) as live:

        def show() -> None:
            tables = [table(study, view) for view in views(folder)]
            live.update(Group(*tables) if tables else waiting, refresh=True)

        for arm in plan.arms:
            run_arm(federation, Job(folder / "study.json", folder, arm, plan.deadline), show)
    write_all(study, folder, "superlink")
    console.print(f"Report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
    return DONE
