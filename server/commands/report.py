"""Rebuilds the report of a finished run."""

import argparse
from pathlib import Path

from shared.command_line import DONE

PURPOSE = (
    "Write report.html, model_card.md, figures/ and tables/ of a run again, from its results.json alone; the same "
    "results give the same bytes."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")


def run(arguments: argparse.Namespace) -> int:
    """Rebuild a report and say where it is."""
    from server.report.results import Results
    from server.report.write import write_report

    write_report(Results.read(arguments.run), arguments.run)
    print(f"Report: {arguments.run / 'report.html'}")
    return DONE
