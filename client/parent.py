"""A process that ``join`` started ends with it, also where that was killed: no second agent, no key in use twice."""

import ctypes
import os
import signal
import sys

VARIABLE = "MEDLEY_JOIN"  # of the environment: the number of the process that supervises this one


def end_with_parent() -> None:
    """Ask the operating system (Linux) for SIGTERM when the supervisor is gone; nothing where there is none."""
    supervisor = os.environ.get(VARIABLE)
    if supervisor is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG; it outlives exec
    if os.getppid() != int(supervisor):  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)
