"""``python -m client``: what a hospital's own people type; each command works on the hospital's ``site.toml``."""

import argparse
import sys
from pathlib import Path

from shared.command_line import run_command

EXAMPLES = """examples:
  python -m client check site.toml --study study.toml
  python -m client check site.toml --study lscc-staging --set training.rounds=40
"""
CHECK = """Read the hospital's folder as training would, and say what was found: rows left out, files that cannot
be read, columns that are missing, classes too small to report. Nothing is written, nothing is sent, and no
patient's value or identifier is shown.

Exit code 0: the folder can be used, perhaps with notes; 2: it is refused, with what to do about it.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m client", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="check the hospital's folder against a study",
        description=CHECK,
        epilog=EXAMPLES,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    check.add_argument("site", type=Path, metavar="site.toml", help="the hospital's own file")
    check.add_argument("--study", required=True, help="a study file, or a study of the catalog by its name")
    check.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key of it")
    return top


def check(arguments: argparse.Namespace) -> int:
    """Check a folder and print what was found."""
    from client.check_page import check_and_print

    return check_and_print(arguments.site, arguments.study, arguments.set)


if __name__ == "__main__":
    given = parser().parse_args()
    sys.exit(run_command(lambda: {"check": check}[given.command](given)))
