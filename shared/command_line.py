"""What all commands have in common: exit codes, and errors as sentences instead of tracebacks."""

import argparse
import os
import sys
from collections.abc import Callable

from shared.errors import FileError, MedleyError

DONE, FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130


def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit code: 0 done, 1 the work failed, 2 the call or a file was wrong."""
    # Nothing of Flower may reach the network by itself; set before Flower is imported.
    os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
    os.environ["FLWR_DISABLE_UPDATE_CHECK"] = "1"
    try:
        return command()
    except FileError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return WRONG_CALL
    except MedleyError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED


def metrics_option(command: argparse.ArgumentParser) -> None:
    """``--metrics PORT`` of a command that runs for long."""
    told = "serve Prometheus metrics at this port of 127.0.0.1 (default: nowhere)"
    command.add_argument("--metrics", type=_port, metavar="PORT", help=told)


def _port(text: str) -> int:
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError("must be a port, 1 to 65535")
    return int(text)
