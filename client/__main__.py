"""``python -m client``: what a hospital's own people type; each command works on the hospital's ``site.toml``."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from shared.command_line import run_command

EXAMPLES = """examples:
  python -m client check site.toml --study study.toml
  python -m client check site.toml --study lscc-staging --set training.rounds=40
  python -m client ledger site.toml
  python -m client egress site.toml --last 50
  python -m client egress site.toml --verify
  python -m client ledger site.toml --resolve --by "A. Name" --reason "restored from the backup of 1 May"
"""
CHECK = """Read the hospital's folder as training would, and say what was found: rows left out, files that cannot
be read, columns that are missing, classes too small to report. Nothing is written, nothing is sent, and no
patient's value or identifier is shown.

Exit code 0: the folder can be used, perhaps with notes; 2: it is refused, with what to do about it.
"""
LEDGER = """Print what patients of this hospital have spent: by study, fold and arm, and over all studies against
the hospital's own limit, with what that means in words.

--resolve is for a hospital whose agent refuses with "ledger-behind": lines that were given out are missing, as the
file's end was cut off or an old copy put back. First put back the right file, if there is one. Otherwise a person
signs: what the egress log still knows to be spent is entered again, the signature goes into the egress log, and
the agent goes on.

Exit code 0: printed or signed; 1: the ledger was altered, with what to do about it; 2: the call was wrong.
"""
EGRESS = """Print what left this hospital, newest last: when, in which run, what kind of message, arrays and their
shapes, bytes, norm, and the epsilon spent in that run.

--verify compares egress log, ledger and outbox instead and prints one line a fault: a line altered, removed or put in,
an end cut off, an old file put back, a release that is not kept as it was sent. It waits while the agent answers.

Exit code 0: printed, or the books hold together; 1: faults; 2: the call was wrong.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m client", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)

    def add(name: str, title: str, text: str) -> argparse.ArgumentParser:
        style = argparse.RawTextHelpFormatter
        command = commands.add_parser(name, help=title, description=text, epilog=EXAMPLES, formatter_class=style)
        command.add_argument("site", type=Path, metavar="site.toml", help="the hospital's own file")
        return command

    check = add("check", "check the hospital's folder against a study", CHECK)
    check.add_argument("--study", required=True, help="a study file, or a study of the catalog by its name")
    check.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key of it")
    ledger = add("ledger", "what patients have spent, and what is left", LEDGER)
    ledger.add_argument("--resolve", action="store_true", help="sign off that lines of the ledger are missing")
    ledger.add_argument("--by", type=_said, metavar="NAME", help="with --resolve: who signs")
    ledger.add_argument("--reason", type=_said, metavar="TEXT", help="with --resolve: what happened")
    egress = add("egress", "what left this hospital", EGRESS)
    egress.add_argument("--last", type=_count, default=20, metavar="N", help="this many messages (20); 0: all")
    egress.add_argument("--verify", action="store_true", help="find what was altered in the hospital's books")
    return top


def _said(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a whole number, 0 or more")
    return int(text)


def check(arguments: argparse.Namespace) -> int:
    """Check a folder and print what was found."""
    from client.check_page import check_and_print

    return check_and_print(arguments.site, arguments.study, arguments.set)


def ledger(arguments: argparse.Namespace) -> int:
    """Print the ledger, or sign off that lines of it are missing."""
    if arguments.resolve:
        from client.sign_off import resolve

        return resolve(arguments.site, arguments.by, arguments.reason)
    from client.ledger_page import print_ledger

    return print_ledger(arguments.site)


def egress(arguments: argparse.Namespace) -> int:
    """Print what left, or verify the books."""
    from client.egress_page import print_egress, verify

    return verify(arguments.site) if arguments.verify else print_egress(arguments.site, arguments.last)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"check": check, "ledger": ledger, "egress": egress}


def read_call(words: list[str] | None = None) -> argparse.Namespace:
    """The call's arguments; exit code 2 where a signature is asked for without its name and reason, or only half."""
    reader = parser()
    given = reader.parse_args(words)
    if given.command == "ledger" and {given.resolve} != {bool(given.by), bool(given.reason)}:
        reader.error("--resolve, --by NAME and --reason TEXT belong together")
    return given


if __name__ == "__main__":
    arguments = read_call()
    sys.exit(run_command(lambda: COMMANDS[arguments.command](arguments)))
