"""``python -m simulations``: run a study on invented or imported hospitals, or import public data as hospitals."""

import argparse
import sys
from pathlib import Path

from shared.command_line import DONE, run_command

EXAMPLES = """examples:
  python -m simulations run lscc-staging
  python -m simulations run lscc-staging --set privacy.epsilon=3 --set training.rounds=40
  python -m simulations import uci-heart --from DOWNLOADED --to data/uci-heart
  python -m simulations run uci-heart --data data/uci-heart
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m simulations",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a study: every arm, every model, with and without privacy, and a report")
    run.add_argument("study", help="a study of the catalog by its name, or the path of a study file")
    run.add_argument(
        "--data", type=Path, metavar="DIR", help="a folder with one folder a hospital; default: invent them"
    )
    run.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key of the study"
    )
    run.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="where a new folder is made")
    bring = commands.add_parser("import", help="write public data as hospitals' folders")
    bring.add_argument("name", choices=["uci-heart"], help="the data set")
    bring.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="the downloaded files")
    bring.add_argument(
        "--to", dest="target", type=Path, required=True, metavar="DIR", help="where the folders are made"
    )
    return top


def run(arguments: argparse.Namespace) -> int:
    """Run a study and print its table."""
    from rich.console import Console

    from shared.study_file import load_study

    study = load_study(arguments.study, arguments.set)  # a fault of the file is told before torch is imported
    console = Console(width=None if sys.stdout.isatty() else 112)
    console.print(f"[bold]{study.name}[/bold]  {study.title}")

    from server.report.console import summary_table
    from server.report.results import Results
    from simulations.study_run import run_study

    folder = run_study(study, arguments.data, arguments.results, console)
    results = Results.read(folder)
    console.print(summary_table(results))
    for warning in results.warnings:
        console.print(f"note: {warning}", highlight=False)
    console.print(
        f"{results.timing.seconds_total:.0f} s. Report: {folder / 'report.html'}", highlight=False, soft_wrap=True
    )
    return DONE


def bring(arguments: argparse.Namespace) -> int:
    """Import public data."""
    from simulations.importers import IMPORTERS

    for sentence in IMPORTERS[arguments.name](arguments.source, arguments.target):
        print(sentence)
    return DONE


if __name__ == "__main__":
    given = parser().parse_args()
    sys.exit(run_command(lambda: {"run": run, "import": bring}[given.command](given)))
