"""A hospital's agent as a process that a test can kill: the real one."""

import sys
from pathlib import Path

from client.agent.process import run_agent


def serve(site_file: Path) -> None:
    """The agent's process."""
    sys.exit(run_agent(site_file))
