"""``python -m client``: what a hospital's own people type; each command works on the hospital's ``site.toml``."""

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from shared.command_line import DONE, metrics_option, run_command

EXAMPLES = """examples:
  python -m client check site.toml --study study.toml
  python -m client check site.toml --study lscc-staging --set training.rounds=40
  python -m client show site.toml --study study.toml --line 7 --to picture.png
  python -m client ledger site.toml
  python -m client egress site.toml --last 50
  python -m client egress site.toml --verify
  python -m client keys site.toml
  python -m client approve site.toml --study study.toml --by "A. Name" --role DPO --until 2027-06-30
  python -m client revoke site.toml --study 64ce418fe317 --by "A. Name" --reason "the study ended"
  python -m client approvals site.toml
  python -m client join site.toml
  python -m client leave site.toml
  python -m client status site.toml --json
  python -m client ledger site.toml --resolve --by "A. Name" --reason "restored from the backup of 1 May"
"""
CHECK = """Read the hospital's folder as training would, and say what was found: rows left out, files that cannot
be read, columns that are missing, classes too small to report. Nothing is written, nothing is sent, and no
patient's value or identifier is shown.

A file that cannot be read counts as absent: the patient stays, without that modality. --strict refuses the folder
instead.

Exit code 0: the folder can be used, perhaps with notes; 2: it is refused, with what to do about it.
"""
SHOW = """Draw one row of patients.csv, named by its line in the file, in all modalities as the study reads them. The
picture is for this hospital's own people: only its owner may read the file, and nothing of it is logged or sent.

Exit code 0: drawn; 2: the call or a file was wrong.
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
APPROVE = """Show in words what a study asks of this hospital: what it reads, what will leave, what it spends, and
what is left after it. Then ask for a yes, and note who gave it, in which role, and until which day. Only approved
studies are answered; the study's digest covers overrides, so another override is another study.

Exit code 0: approved; 1: not approved; 2: the call or a file was wrong, or the hospital's limits rule the study out.
"""
REVOKE = """End the approval of a study, named by its file, or by the first six or more signs of its digest.

Exit code 0: revoked; 1: the file of approvals was altered; 2: it was not approved, or the call was wrong.
"""
APPROVALS = """List the last decision on each study: who approved or revoked it, and until when it holds."""
KEYS = """Make this hospital's node key (EC P-384, OpenSSH, readable by its owner only), which never leaves it, and a
request for the coordinator. Both read the fingerprint to each other by phone. A key that is there is kept.
"""
AGENT = """The resident agent: reads the data, and answers couriers on its socket until SIGTERM. Only one runs on a
state folder.

Exit code 0: told to stop; 2: the call or a file was wrong, or an agent runs already.
"""
SUPERNODE = """The connection to the coordinator, Flower's SuperNode with the hospital's settings, until SIGTERM. It may
run as another user of the operating system, without any right to the data.
"""
JOIN = """Start agent and SuperNode and keep both running, until SIGTERM, Ctrl-C or `leave`.

Exit code 0: told to stop; 1: the agent failed six times; 2: the call or a file was wrong, or it has joined already.
"""
LEAVE = """End this hospital's `join` and wait until it has ended; ledger, keys and data stay."""
STATUS = """Print whether the agent runs, when it last answered, what is approved, spent and left, and the room on
the disk.

Exit code 0: all is well; 1: somebody must look, at what is printed with "!"; 2: the call was wrong.
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
    _study(check)
    check.add_argument("--strict", action="store_true", help="refuse a folder with a file or cell that cannot be read")
    show = add("show", "draw one of the hospital's own patients in all modalities", SHOW)
    _study(show)
    show.add_argument("--line", type=int, required=True, metavar="N", help="of patients.csv, as `check` names lines")
    show.add_argument("--to", dest="target", type=Path, required=True, metavar="FILE", help="png, svg or pdf")
    ledger = add("ledger", "what patients have spent, and what is left", LEDGER)
    ledger.add_argument("--resolve", action="store_true", help="sign off that lines of the ledger are missing")
    ledger.add_argument("--by", type=_said, metavar="NAME", help="with --resolve: who signs")
    ledger.add_argument("--reason", type=_said, metavar="TEXT", help="with --resolve: what happened")
    egress = add("egress", "what left this hospital", EGRESS)
    egress.add_argument("--last", type=_count, default=20, metavar="N", help="this many messages (20); 0: all")
    egress.add_argument("--verify", action="store_true", help="find what was altered in the hospital's books")
    approve = add("approve", "let a study run here", APPROVE)
    _study(approve)
    approve.add_argument("--by", type=_said, required=True, metavar="NAME", help="who approves")
    approve.add_argument("--role", type=_said, required=True, help="in which role")
    approve.add_argument("--until", type=_day, required=True, metavar="DATE", help="last day, as 2027-06-30 (UTC)")
    approve.add_argument("--yes", action="store_true", help="do not ask")
    revoke = add("revoke", "end the approval of a study", REVOKE)
    _study(revoke)
    revoke.add_argument("--by", type=_said, required=True, metavar="NAME", help="who revokes")
    revoke.add_argument("--reason", type=_said, required=True, metavar="TEXT", help="why")
    add("approvals", "list what was approved and revoked", APPROVALS)
    add("keys", "make the node key and the request for the coordinator", KEYS)
    metrics_option(add("join", "start agent and SuperNode, and keep them running", JOIN))
    add("leave", "end what join started", LEAVE)
    metrics_option(add("agent", "run the agent alone", AGENT))
    add("supernode", "run the connection to the coordinator alone", SUPERNODE)
    status = add("status", "how this hospital stands", STATUS)
    status.add_argument("--json", action="store_true", help="for programs")
    return top


def _study(command: argparse.ArgumentParser) -> None:
    command.add_argument("--study", required=True, help="a study file, or a study of the catalog by its name")
    command.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key of it")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day as 2027-06-30") from None


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

    return check_and_print(arguments.site, arguments.study, arguments.set, arguments.strict)


def show(arguments: argparse.Namespace) -> int:
    """Draw one of the hospital's own patients."""
    from client.check import open_files
    from client.show.picture import show_line

    site, study = open_files(arguments.site, arguments.study, arguments.set)
    show_line(site, study, arguments.line, arguments.target)
    print(f"Drawn: {arguments.target.name}")
    return DONE


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


def approve(arguments: argparse.Namespace) -> int:
    """Show what a study asks for, and note a yes."""
    from client.approve_page import approve

    signed = {"by": arguments.by, "role": arguments.role}
    return approve((arguments.site, arguments.study, arguments.set), signed, arguments.until, arguments.yes)


def revoke(arguments: argparse.Namespace) -> int:
    """End an approval."""
    from client.approve_page import revoke

    signed = {"by": arguments.by, "reason": arguments.reason}
    return revoke(arguments.site, (arguments.study, arguments.set), signed)


def approvals(arguments: argparse.Namespace) -> int:
    """List approvals."""
    from client.approve_page import print_approvals

    return print_approvals(arguments.site)


def keys(arguments: argparse.Namespace) -> int:
    """Make the keys that never leave."""
    from client.node_key import make_keys

    return make_keys(arguments.site)


def agent(arguments: argparse.Namespace) -> int:
    """Run the agent."""
    from client.agent.process import run_agent

    return run_agent(arguments.site, arguments.metrics)


def supernode(arguments: argparse.Namespace) -> int:
    """Run the SuperNode."""
    from client.supernode import run_supernode

    return run_supernode(arguments.site)


def join(arguments: argparse.Namespace) -> int:
    """Run both."""
    from client.supervisor import join

    return join(arguments.site, arguments.metrics)


def leave(arguments: argparse.Namespace) -> int:
    """End both."""
    from client.supervisor import leave

    return leave(arguments.site)


def status(arguments: argparse.Namespace) -> int:
    """Print how the hospital stands."""
    from client.status_page import status

    return status(arguments.site, arguments.json)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "show": show,
    "ledger": ledger,
    "egress": egress,
    "approve": approve,
    "revoke": revoke,
    "approvals": approvals,
    "keys": keys,
    "agent": agent,
    "supernode": supernode,
    "join": join,
    "leave": leave,
    "status": status,
}


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
