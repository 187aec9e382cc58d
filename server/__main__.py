"""``python -m server``: what the coordinator types, from provisioning to the report."""

import argparse
import sys
from importlib import import_module

from shared.command_line import run_command

EXAMPLES = """examples:
  python -m server provision federation.toml
  python -m server start federation.toml
  python -m server status federation.toml
  python -m server run federation.toml --study study.toml --set training.rounds=40
  python -m server status results/lscc-staging-20261120-120000 --watch
  python -m server resume results/lscc-staging-20261120-120000
  python -m server report results/lscc-staging-20261120-120000
  python -m server compare results/lscc-staging-20261120-120000 results/lscc-staging-20261120-130000
"""
NAMES = ("provision", "start", "run", "status", "resume", "report", "compare")
COMMANDS = {name: f"server.commands.{name}" for name in NAMES}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    style = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="python -m server", description=__doc__, epilog=EXAMPLES, formatter_class=style)
    commands = top.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        command = import_module(module)
        command.add(commands.add_parser(name, help=command.PURPOSE, description=command.PURPOSE))
    return top


if __name__ == "__main__":
    given = parser().parse_args()
    sys.exit(run_command(lambda: int(import_module(COMMANDS[given.command]).run(given))))
