"""Asks hospitals and takes their replies as they arrive, until all have answered or the deadline has passed."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flwr.app import Message
from flwr.serverapp import Grid

from shared.errors import RunError
from shared.wire import MESSAGE_TYPES, Envelope, Refused

POLL = 0.05  # seconds between looks for new replies


@dataclass(frozen=True)
class Answer:
    """A hospital's reply, or the sentence that says why there is none."""

    site: str
    envelope: Envelope | None
    failure: str = ""


def roll_call(grid: Grid, names: Iterable[str], deadline: float) -> dict[str, int]:
    """Node of each hospital by its registered name; RunError if none of them is there by the deadline (seconds).

    A hospital that is not there is left out; the caller sees who is missing.
    """
    wanted, until = set(names), time.monotonic() + deadline
    while True:
        found = {node.name: node.node_id for node in grid.get_nodes() if node.name in wanted}
        if wanted <= set(found) or time.monotonic() >= until:
            break
        time.sleep(POLL)
    if not found:
        raise RunError("none of the study's hospitals is connected")
    return {name: found[name] for name in sorted(found)}


def ask(grid: Grid, nodes: Mapping[str, int], tasks: Mapping[str, Envelope], deadline: float) -> Iterator[Answer]:
    """Send every node its task and yield each hospital's answer as it arrives; at the deadline, who is late."""
    if not nodes:
        return
    messages = [
        Message(tasks[site].to_record(), dst_node_id=node, message_type=MESSAGE_TYPES[tasks[site].header.kind])
        for site, node in nodes.items()
    ]
    sent = list(grid.push_messages(messages))
    waiting = {message_id: site for message_id, site in zip(sent, nodes, strict=True) if message_id}
    for site in set(nodes) - set(waiting.values()):
        yield Answer(site, None, "could not be reached")
    yield from _collect(grid, waiting, deadline)


def _collect(grid: Grid, waiting: dict[str, str], deadline: float) -> Iterator[Answer]:
    """Answers to the messages ``waiting`` {message: hospital}, as they arrive, and in the end those that are late."""
    until = time.monotonic() + deadline
    while waiting:
        for message in grid.pull_messages(list(waiting)):
            if site := waiting.pop(message.metadata.reply_to_message_id, ""):
                yield _read(site, message)
        if time.monotonic() >= until:
            break
        if waiting:
            time.sleep(POLL)
    for site in waiting.values():
        yield Answer(site, None, f"no answer within {deadline:g} s")


def _read(site: str, message: Message) -> Answer:
    if message.has_error():
        return Answer(site, None, "its program failed")  # the error's own text is not ours to keep
    try:
        envelope = Envelope.from_record(message.content)
    except (ValueError, KeyError):
        return Answer(site, None, "answered something that is no message of ours")
    if isinstance(envelope.header, Refused):
        return Answer(site, None, f"refused ({envelope.header.code}): {envelope.header.sentence}")
    return Answer(site, envelope)
