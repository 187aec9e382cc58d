"""A hospital's process that a test can kill: answers the tasks that lie in a folder, one after the other."""

import os
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from shared.wire import Envelope
from tests.small import agent_of, load_site


def serve(site_file: Path, orders: Connection) -> None:
    """For each task file that is named, write the reply beside it, whole; what stands there has left the hospital."""
    torch.set_num_threads(1)
    agent = agent_of(load_site(site_file))
    while True:
        task = Path(orders.recv())
        reply = agent.answer(Envelope.from_file(str(task)))
        part = task.with_suffix(".part")
        part.write_bytes(reply.to_bytes())
        os.replace(part, task.with_suffix(".reply"))
        orders.send("answered")
