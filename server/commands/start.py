"""``python -m server start federation.toml``: Flower's SuperLink with the hospitals' keys, until it is stopped."""

import argparse
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from shared.command_line import DONE, FAILED, metrics_option

if TYPE_CHECKING:
    from server.federation_file import Federation

PURPOSE = "start the server in the foreground, until Ctrl-C or SIGTERM"


def add(command: argparse.ArgumentParser) -> None:
    """Its options."""
    command.add_argument("federation", type=Path, help="the coordinator's federation.toml")
    metrics_option(command)


def run(arguments: argparse.Namespace) -> int:
    """Start it, register the hospitals that are new, and wait."""
    from server.admission import admit
    from server.exporter import OfHospitals
    from server.federation_file import load_federation
    from server.superlink import SuperLink
    from shared.exporter import exported

    federation = load_federation(arguments.federation)
    admitted, waiting = admit(federation)
    link = SuperLink(federation)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        link.start()
        for name in link.register(admitted):
            print(f"{name}: registered")
        for sentence in waiting:
            print(sentence)
        print(f"Listening at {federation.control} for {federation.file.address}; log: superlink.log", flush=True)
        with exported(arguments.metrics, OfHospitals(lambda: online(federation))):
            return DONE if link.wait() == 0 else FAILED
    except KeyboardInterrupt:
        print("Stopped. Registered hospitals and finished runs are kept; unfinished runs: `python -m server resume`.")
        return DONE
    finally:
        link.stop()


def online(federation: "Federation") -> dict[str, str]:
    """Status of each registered hospital."""
    from server.control import Control

    with Control(federation.control, federation.state / "ca.crt") as control:
        return control.nodes()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
