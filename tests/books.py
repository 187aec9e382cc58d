"""A hospital's books that a test writes by four releases, and then damages."""

import json
from collections.abc import Sequence
from pathlib import Path

from client.site import Site
from shared.study import Study
from shared.wire import Envelope, Refused, Reply
from tests.small import agent_of, ask_round

ROUNDS = [(number, stage) for stage in ("encoders", "fusion") for number in (1, 2)]


def head_of(reply: Envelope) -> str:
    assert isinstance(reply.header, Reply), reply.header
    assert reply.header.head
    return reply.header.head


def refusal(reply: Envelope) -> str:
    assert isinstance(reply.header, Refused), reply.header
    assert not reply.arrays
    return reply.header.code


def four_rounds(study: Study, site: Site) -> list[str]:
    """Four releases, asked as a server asks; the heads that it got."""
    agent, heads = agent_of(site), list[str]()
    for number, stage in ROUNDS:
        task = ask_round(study, number, stage).with_head(heads[-1] if heads else None)
        heads.append(head_of(agent.answer(task)))
    return heads


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def altered(line: str, **changes: object) -> str:
    return json.dumps({**json.loads(line), **changes})
