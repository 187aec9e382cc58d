"""The resident agent as a process: reads what approved studies need, then answers until it is told to stop."""

import logging
import os
import signal
import threading
from pathlib import Path

from client.agent.agent import Agent, place_of
from client.agent.service import Service
from client.approvals import approved_texts
from client.archive import Archive
from client.log_file import log_to
from client.parent import end_with_parent
from client.site import Site, load_front, load_site
from client.state import AGENT_LOCK, only_one
from shared.command_line import DONE
from shared.errors import MedleyError, Problem, SiteError
from shared.study_file import study_from_text

log = logging.getLogger(__name__)
GRACE = 5.0  # seconds for a task under way; it is interrupted then, as by a crash, which the books survive


def run_agent(site_file: Path) -> int:
    """The command: serve until SIGTERM or SIGINT."""
    end_with_parent()
    import torch

    site, front = load_site(site_file), load_front(site_file)
    if only_one(site.state, AGENT_LOCK) is None:
        rule, remedy = "an agent is running on this folder", "end it first: python -m client leave site.toml"
        raise SiteError([Problem(site_file.name, "state", rule, remedy)])
    log_to(site.state, "agent")
    torch.set_num_threads(1)  # in every engine, so that all give the same weights
    agent, stop = Agent(Archive(site), site), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = Service(agent, front)
    service.start()
    log.info("the agent listens")
    threading.Thread(target=_prepare, args=(agent, site, service), daemon=True).start()
    stop.wait()
    service.stop(GRACE)
    log.info("the agent stopped")
    if service.turn().locked():
        logging.shutdown()
        os._exit(DONE)  # a thread at work would keep this process, or break its end
    return DONE


def _prepare(agent: Agent, site: Site, service: Service) -> None:
    """Read the data of every approved study, so that no round waits for it; couriers wait meanwhile."""
    with service.turn():
        try:
            for text in approved_texts(site.state):
                agent.prepare(study_from_text(text))
        except MedleyError as error:
            log.warning("%s", error)
        except Exception as failure:
            log.error("could not read the data: %s", place_of(failure))
        else:
            log.info("the data of all approved studies are read")
