"""Lays two runs side by side."""

import argparse
import sys
from pathlib import Path

from shared.command_line import DONE

PURPOSE = "Print what differs between two runs, and the main measure of their models side by side."


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("first", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("second", type=Path, metavar="RUN", help="another run's folder")


def run(arguments: argparse.Namespace) -> int:
    """Print two runs side by side."""
    from rich.console import Console

    from server.report.compare import comparison
    from server.report.console import plain_table
    from server.report.results import Results

    runs = (Results.read(arguments.first), Results.read(arguments.second))
    console = Console(width=None if sys.stdout.isatty() else 112)
    for table in comparison((arguments.first.name, arguments.second.name), runs):
        console.print(plain_table(table))
    return DONE
