"""``python -m server resume RUN``: a run that was stopped goes on from its last checkpoint."""

import argparse
from pathlib import Path

from shared.command_line import metrics_option

PURPOSE = "go on with a run that was stopped, from its last checkpoint; hospitals spend nothing twice"


def add(command: argparse.ArgumentParser) -> None:
    """Its options."""
    command.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    metrics_option(command)


def run(arguments: argparse.Namespace) -> int:
    """Do it, over the federation that the run's plan names."""
    from server.commands.run import finish
    from server.federation_file import load_federation
    from server.run_folder import read_folder

    _, plan = read_folder(arguments.run)
    return finish(load_federation(Path(plan.federation)), arguments.run.resolve(), arguments.metrics)
