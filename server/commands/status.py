"""``python -m server status RUN``: round, who answered, seconds, bytes and the epsilon that is left, by hospital."""

import argparse
from pathlib import Path

from shared.command_line import DONE

PURPOSE = "how a run is: round, who answered, seconds, megabytes, epsilon left; or which hospitals are connected"


def add(command: argparse.ArgumentParser) -> None:
    """Its options."""
    command.add_argument("what", type=Path, metavar="RUN|federation.toml", help="a run's folder, or the federation")
    command.add_argument("--watch", action="store_true", help="show it again every second, until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    if arguments.what.is_file():
        return connected(arguments.what)
    return of_run(arguments.what, arguments.watch)


def connected(path: Path) -> int:
    """Which hospitals are registered, and connected."""
    from server.commands.start import online
    from server.federation_file import load_federation

    for name, status in sorted(online(load_federation(path)).items()):
        print(f"{name}: {status}")
    return DONE


def of_run(folder: Path, watch: bool) -> int:
    """A run's table."""
    import time

    from rich.console import Console, Group
    from rich.live import Live

    from server.progress import table, views
    from server.run_folder import read_folder

    study, _ = read_folder(folder)
    with Live(console=Console(), auto_refresh=False) as live:
        while True:
            live.update(Group(*(table(study, view) for view in views(folder))), refresh=True)
            if not watch:
                return DONE
            time.sleep(1)
