"""What all commands have in common: exit codes, and errors as sentences instead of tracebacks."""

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
