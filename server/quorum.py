"""Asks hospitals and takes their replies one by one as they arrive, until all are in or the deadline has passed."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flwr.app import Message
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid

from shared.errors import RunError
from shared.wire import MESSAGE_TYPES, Arrays, Envelope, Refused, pack

POLL = 0.05  # seconds between looks for new replies, at first
SLOWEST = 0.5  # seconds between looks when nothing has come for a while
TOGETHER = 1 << 26  # bytes of replies that may be in memory at once, as large as the question's arrays at most
FAILURES = {
    ErrorCode.NODE_UNAVAILABLE: "is not connected any more",
    ErrorCode.MESSAGE_UNAVAILABLE: "its reply was lost on the way",
    ErrorCode.REPLY_MESSAGE_UNAVAILABLE: "its reply was lost on the way",
    ErrorCode.INVALID_FAB: "does not run the program that was sent",
    ErrorCode.LOAD_CLIENT_APP_EXCEPTION: "its program could not be started",
}


@dataclass(frozen=True)
class Answer:
    """A hospital's reply after ``seconds``, or the sentence that says why there is none."""

    site: str
    envelope: Envelope | None
    failure: str = ""
    seconds: float = 0.0


def connected(grid: Grid, names: Iterable[str]) -> dict[str, int]:
    """Node of each hospital that is connected now, by its registered name."""
    wanted = set(names)
    return {node.name: node.node_id for node in grid.get_nodes() if node.name in wanted}


def roll_call(grid: Grid, names: Iterable[str], deadline: float) -> dict[str, int]:
    """Node of each hospital by its registered name; RunError if none of them is there by the deadline (seconds).

    A hospital that is not there is left out; the caller sees who is missing.
    """
    wanted, until, pause = set(names), time.monotonic() + deadline, POLL
    found = connected(grid, wanted)
    while wanted - set(found) and time.monotonic() < until:
        time.sleep(pause)
        found |= connected(grid, wanted)  # of many there is always one that is late with its sign of life
        pause = min(1.2 * pause, SLOWEST)
    if not found:
        raise RunError("none of the study's hospitals is connected")
    return {name: found[name] for name in sorted(found)}


def ask(
    grid: Grid, nodes: Mapping[str, int], tasks: Mapping[str, Envelope], arrays: Arrays, deadline: float
) -> Iterator[Answer]:
    """Send every node its task and yield each hospital's answer as it arrives; at the deadline, who is late.

    All tasks carry the same ``arrays``, which are in memory once.
    """
    if not nodes:
        return
    packed = pack(arrays)
    together = max(1, TOGETHER // max(1, sum(array.nbytes for array in arrays.values())))
    messages = [
        Message(tasks[site].to_record(packed), dst_node_id=node, message_type=MESSAGE_TYPES[tasks[site].header.kind])
        for site, node in nodes.items()
    ]
    sent = list(grid.push_messages(messages))
    del messages, packed
    waiting = {message_id: site for message_id, site in zip(sent, nodes, strict=False) if message_id}
    for site in set(nodes) - set(waiting.values()):
        yield Answer(site, None, "could not be reached")
    yield from _collect(grid, waiting, together, deadline)


def _collect(grid: Grid, waiting: dict[str, str], together: int, deadline: float) -> Iterator[Answer]:
    """Answers to the messages ``waiting`` {message: hospital}, and in the end those that are late.

    So many are asked for ``together``: one where they are large, so that no two replies are in memory.
    """
    begun, pause = time.monotonic(), POLL
    while waiting:
        pause = min(1.2 * pause, SLOWEST)
        identifiers = list(waiting)
        for start in range(0, len(identifiers), together):
            for message in grid.pull_messages(identifiers[start : start + together]):
                site, pause = waiting.pop(message.metadata.reply_to_message_id, ""), POLL
                if site:
                    answer = _read(site, message, time.monotonic() - begun)
                    yield answer
                    del answer
        if time.monotonic() - begun >= deadline:
            break
        if waiting:
            time.sleep(pause)
    for site in waiting.values():
        yield Answer(site, None, f"no answer within {deadline:g} s")


def _read(site: str, message: Message, seconds: float) -> Answer:
    if message.has_error():  # the error's own text is not ours to keep
        return Answer(site, None, FAILURES.get(message.error.code, "its program failed"), seconds)
    try:
        envelope = Envelope.from_record(message.content)
    except (ValueError, KeyError):
        return Answer(site, None, "answered something that is no message of ours", seconds)
    message.content.clear()  # Flower's messages refer to themselves: their bytes would stay
    if isinstance(envelope.header, Refused):
        return Answer(site, None, f"refused ({envelope.header.code}): {envelope.header.sentence}", seconds)
    return Answer(site, envelope, "", seconds)
