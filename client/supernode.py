"""The SuperNode, Flower's connection to the coordinator: its command line and its environment, both the hospital's."""

import os
import sys
from pathlib import Path

from client.clock import clock_note
from client.connection import Connection, Kit, load_kit
from client.node_key import KEY, fingerprint
from client.parent import end_with_parent
from client.site import Front, load_front
from client.state import private_folder
from shared.command_line import FAILED
from shared.errors import Problem, SiteError

# Nothing but the connection to the coordinator may leave by Flower's own doing.
ENVIRONMENT = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
}
LOOK = "FLWR_SUPEREXEC_TASK_POLL_INTERVAL"  # seconds between two looks for a message; a hospital's IT may set it
LOOKING = {LOOK: "0.2"}  # 1 by default
STARTING = 90.0  # seconds that a courier may take to start: after Flower's 30 a slow machine starts another beside it


def run_supernode(site_file: Path) -> int:
    """The command: be the SuperNode, until SIGTERM. It needs no right to the hospital's data.

    Exit code 1 where Flower's loop ended, as by an answer of the server that is none (its database was locked): Flower
    would stay then, not connected, for the sake of a thread that serves its own couriers.
    """
    end_with_parent()
    front = load_front(site_file)
    words, environment = call(front)
    if note := clock_note(load_kit(front.connection, front.name).superlink, front.connection.kit / "ca.crt"):
        sys.stderr.write(f"{note}\n")  # Flower ends without a word of it
    os.environ.update(environment)
    sys.argv = words
    from flwr.supernode.cli import flower_supernode  # after its environment is set

    _wait_longer_for_couriers()
    flower_supernode()
    sys.stderr.write("The connection to the coordinator has ended.\n")
    sys.stderr.flush()
    os._exit(FAILED)


def _wait_longer_for_couriers() -> None:
    """STARTING instead of one of Flower's intervals; one that runs has as long between two signs of life as before."""
    from flwr.common.constant import HEARTBEAT_DEFAULT_INTERVAL, HEARTBEAT_PATIENCE
    from flwr.supercore.corestate import in_memory_corestate as couriers

    patience = HEARTBEAT_PATIENCE * HEARTBEAT_DEFAULT_INTERVAL / STARTING
    vars(couriers).update(HEARTBEAT_DEFAULT_INTERVAL=STARTING, HEARTBEAT_PATIENCE=patience)


def call(front: Front) -> tuple[list[str], dict[str, str]]:
    """(Command line, environment) of this hospital's SuperNode; SiteError where kit or key are not as they must be."""
    connection = front.connection
    kit = load_kit(connection, front.name)
    _refuse_other_key(connection, kit)
    programs = Path(sys.executable).parent
    words = [
        *(str(programs / "flower-supernode"), "--superlink", kit.superlink),
        *("--root-certificates", str(connection.kit / "ca.crt")),
        *("--auth-supernode-private-key", str(connection.home / KEY)),
        *("--host", "127.0.0.1", "--port", str(connection.port)),
        *("--node-config", connection.node_config),
    ]
    home = private_folder(connection.home / "flower")
    path = f"{programs}:{os.environ.get('PATH', '')}"  # Flower starts its programs by name
    return words, {**LOOKING, **os.environ, **ENVIRONMENT, "FLWR_HOME": str(home), "PATH": path}


def _refuse_other_key(connection: Connection, kit: Kit) -> None:
    try:
        public = (connection.home / f"{KEY}.pub").read_text(encoding="utf-8")
    except OSError:
        remedy = "python -m client keys site.toml"
        raise SiteError([Problem(f"{KEY}.pub", "", "there is no node key", f"make one: {remedy}")]) from None
    if fingerprint(public) != kit.fingerprint:
        rule, remedy = "is not this hospital's key", "send the coordinator the request of `client keys` again"
        raise SiteError([Problem("kit.toml", "fingerprint", rule, remedy)])
