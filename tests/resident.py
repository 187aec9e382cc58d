"""A real hospital in tests: its approvals count, and its agent is asked over the socket."""

import datetime
import socket
from pathlib import Path
from typing import Protocol

from client.agent.agent import Agent
from client.approvals import ApprovalFile
from client.archive import Archive
from client.exchange import exchange
from client.site import Site
from client.state import locked
from shared.study import Study
from shared.wire import Envelope

SIGNED = {"by": "A. Name", "role": "data protection officer"}


class Hospital(Protocol):
    """What has a state folder."""

    @property
    def state(self) -> Path: ...


def real(site: Site) -> Agent:
    """As a real hospital starts it: nothing is approved but by its own file."""
    return Agent(Archive(site), site)


def approve(site: Hospital, study: Study, days: int = 30) -> None:
    """A person's yes, as `python -m client approve` notes it."""
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    with locked(site.state):
        ApprovalFile(site.state).approve((study.digest, study.name, study.text), SIGNED, until)


def ask(site: Hospital, task: Envelope, patience: float = 60.0) -> Envelope:
    """The answer of the agent that listens in a hospital's state folder."""
    return Envelope.from_bytes(exchange(target(site), task.to_bytes(), patience=patience))


def target(site: Hospital) -> str:
    """Where a courier finds the agent."""
    return f"unix:{site.state / 'agent.sock'}"


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
