"""A hospital's agent as a process that a test can kill: the real one, over its socket."""

import datetime
import sys
from pathlib import Path

from client.agent.process import run_agent
from client.approvals import ApprovalFile
from client.exchange import exchange
from client.site import Site
from client.state import locked
from shared.study import Study
from shared.wire import Envelope

SIGNED = {"by": "A. Name", "role": "data protection officer"}


def approve(site: Site, study: Study, days: int = 30) -> None:
    """A person's yes, as `python -m client approve` notes it."""
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    with locked(site.state):
        ApprovalFile(site.state).approve((study.digest, study.name, study.text), SIGNED, until)


def ask(site: Site, task: Envelope, patience: float = 60.0) -> Envelope:
    """The answer of the agent that listens in a hospital's state folder."""
    return Envelope.from_bytes(exchange(target(site), task.to_bytes(), patience=patience))


def target(site: Site) -> str:
    """Where a courier finds the agent."""
    return f"unix:{site.state / 'agent.sock'}"


def serve(site_file: Path) -> None:
    """The agent's process."""
    sys.exit(run_agent(site_file))
