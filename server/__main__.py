"""``python -m server``: rebuild the report of a finished run, or lay two runs side by side."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from shared.command_line import DONE, run_command

EXAMPLES = """examples:
  python -m server report results/lscc-staging-20261120-105137
  python -m server compare results/lscc-staging-20261120-105137 results/lscc-staging-20261120-113020
"""
REPORT = """Write report.html, model_card.md, figures/ and tables/ of a run again, from its results.json alone.

The same results give the same bytes; results.json itself is left as it is.
"""
COMPARE = """Print what differs between two runs, and the main measure of their models side by side."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    style = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="python -m server", description=__doc__, epilog=EXAMPLES, formatter_class=style)
    commands = top.add_subparsers(dest="command", required=True)
    rebuild = commands.add_parser(
        "report", help="rebuild a run's report", description=REPORT, epilog=EXAMPLES, formatter_class=style
    )
    rebuild.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    beside = commands.add_parser(
        "compare", help="lay two runs side by side", description=COMPARE, epilog=EXAMPLES, formatter_class=style
    )
    beside.add_argument("first", type=Path, metavar="RUN", help="a run's folder")
    beside.add_argument("second", type=Path, metavar="RUN", help="another run's folder")
    return top


def report(arguments: argparse.Namespace) -> int:
    """Rebuild a report and say where it is."""
    from server.report.results import Results
    from server.report.write import write_report

    write_report(Results.read(arguments.run), arguments.run)
    print(f"Report: {arguments.run / 'report.html'}")
    return DONE


def compare(arguments: argparse.Namespace) -> int:
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


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"report": report, "compare": compare}


if __name__ == "__main__":
    given = parser().parse_args()
    sys.exit(run_command(lambda: COMMANDS[given.command](given)))
