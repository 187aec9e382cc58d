"""The resident agent as a process: reads what approved studies need, then answers until it is told to stop."""

from __future__ import annotations  # what is wrong with the files is said before torch is imported

import logging
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from client.approvals import approved_texts
from client.log_file import log_to
from client.parent import end_with_parent
from client.site import Front, Site, load_front, load_site
from client.state import AGENT_LOCK, CACHE, only_one
from shared.command_line import DONE
from shared.errors import MedleyError, Problem, SiteError
from shared.exporter import exported
from shared.study_file import study_from_text

if TYPE_CHECKING:
    from client.agent.agent import Agent

log = logging.getLogger(__name__)
GRACE = 5.0  # seconds for a task under way; it is interrupted then, as by a crash, which the books survive


def run_agent(site_file: Path, metrics: int | None = None) -> int:
    """The command: serve until SIGTERM or SIGINT, with metrics at a port of loopback if one is given."""
    end_with_parent()
    site, front = load_site(site_file), load_front(site_file)
    if only_one(site.state, AGENT_LOCK) is None:
        rule, remedy = "an agent is running on this folder", "end it first: python -m client leave site.toml"
        raise SiteError([Problem(site_file.name, "state", rule, remedy)])
    from client.exporter import OfHospital

    with exported(metrics, OfHospital(site)):
        return _serve(site, front)


def _serve(site: Site, front: Front) -> int:
    import torch

    from client.agent.agent import Agent
    from client.agent.service import Service
    from client.archive import Archive

    log_to(site.state, "agent")  # after the imports, as libraries set up logs of their own
    torch.set_num_threads(1)  # in every engine, so that all give the same weights
    agent, stop = Agent(Archive(site, site.state / CACHE), site), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = Service(agent, front)
    service.start()
    log.info("the agent listens")
    threading.Thread(target=_prepare, args=(agent, site, service.turn()), daemon=True).start()
    stop.wait()
    service.stop(GRACE)
    log.info("the agent stopped")
    if service.turn().locked():
        logging.shutdown()
        os._exit(DONE)  # a thread at work would keep this process, or break its end
    return DONE


def _prepare(agent: Agent, site: Site, turn: threading.Lock) -> None:
    """Read the data of every approved study, so that no round waits for it; couriers wait meanwhile."""
    with turn:
        try:
            for text in approved_texts(site.state):
                agent.prepare(study_from_text(text))
        except MedleyError as error:
            log.warning("%s", error)
        except Exception as failure:
            log.error("could not read the data: %s", type(failure).__name__)
        else:
            log.info("the data of all approved studies are read")
