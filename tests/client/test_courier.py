"""The courier between server and agent: carries what is a message of ours, and lets no exception's text out."""

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict

from client.app import courier
from shared.privacy.records import RunKey
from shared.wire import MESSAGE_TYPES, PACKED, Describe, Envelope, Refused, pack
from simulations.in_process import InProcessGrid

SECRET = "PATIENT-SECRET"
TASK = Envelope(Describe(study="{}", run=RunKey(study="0" * 64, fold="main", arm="federated")))


def sent(record: RecordDict, reach, kind: str = "describe") -> Message:
    grid = InProcessGrid(courier(reach), {"north": {}})
    (node,) = grid.get_node_ids()
    (reply,) = grid.send_and_receive([Message(record, dst_node_id=node, message_type=MESSAGE_TYPES[kind])])
    return reply


def refused(reply: Message) -> Refused:
    assert not reply.has_error(), "Flower would send the exception's own text"
    assert SECRET not in str(reply)
    envelope = Envelope.from_record(reply.content)
    assert isinstance(envelope.header, Refused)
    assert SECRET not in envelope.header.model_dump_json()
    assert not envelope.arrays
    return envelope.header


@pytest.mark.parametrize("kind", MESSAGE_TYPES)
@pytest.mark.parametrize(
    "failure", [RuntimeError(SECRET), ValueError(SECRET), KeyError(SECRET), OSError(2, SECRET, SECRET)]
)
def test_an_agent_that_cannot_be_reached(failure: Exception, kind: str) -> None:
    def reach(context: Context, task: Envelope) -> Envelope:
        raise failure

    assert refused(sent(TASK.to_record(), reach, kind)).code == "unreachable"


def test_the_agents_answer_is_carried_as_it_is() -> None:
    asked = []

    def reach(context: Context, task: Envelope) -> Envelope:
        asked.append(task)
        return Envelope(Refused(code="because", sentence="of this"))

    assert refused(sent(TASK.to_record(), reach)) == Refused(code="because", sentence="of this")
    assert asked == [TASK]


HEADER, ARRAYS = {"header": ConfigRecord({"json": TASK.header.model_dump_json()})}, {"arrays": pack({})}
PICKLED = Array(dtype="object", shape=(1,), stype="numpy.ndarray", data=SECRET.encode())


@pytest.mark.parametrize(
    "record",
    [
        {},
        HEADER,
        ARRAYS,
        {**HEADER, **ARRAYS, "more": ConfigRecord({"a": 1})},
        {**HEADER, **ARRAYS, "more": pack({})},
        {**HEADER, "arrays": ArrayRecord({})},
        {**HEADER, "arrays": ArrayRecord({PACKED: PICKLED, "x": PICKLED})},
        {"header": ConfigRecord({}), **ARRAYS},
        {"header": ConfigRecord({"json": 3}), **ARRAYS},
        {"header": ConfigRecord({"json": SECRET}), **ARRAYS},
        {"header": ConfigRecord({"json": '{"kind": "' + SECRET + '"}'}), **ARRAYS},
        {"header": ConfigRecord({"json": "[" * 100_000}), **ARRAYS},
        {**HEADER, "arrays": ArrayRecord({PACKED: PICKLED})},
        {**HEADER, "arrays": ArrayRecord({PACKED: Array(np.array([SECRET]))})},
        {**HEADER, **ARRAYS, "more": MetricRecord({"a": 1})},
        {"header": ConfigRecord({"json": TASK.header.model_dump_json(), "more": SECRET}), **ARRAYS},
        {**HEADER, "arrays": ArrayRecord({PACKED: Array(dtype="", shape=(), stype=PACKED, data=b"")})},
    ],
)
def test_what_is_no_message_of_ours_reaches_no_agent(record: Mapping[str, ArrayRecord | ConfigRecord]) -> None:
    def never(context: Context, task: Envelope) -> Envelope:
        pytest.fail("reached")

    with pytest.raises(ValueError, match="message") as failure:
        Envelope.from_record(RecordDict(dict(record)))
    assert SECRET not in str(failure.value)
    assert failure.value.__cause__ is None
    assert refused(sent(RecordDict(dict(record)), never)).code == "not-typed"


def test_a_message_survives_the_way_there() -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "y": np.float64(2.5) * np.ones(())}
    envelope = Envelope.from_record(Envelope(TASK.header, arrays).to_record())
    assert envelope.header == TASK.header
    assert envelope.digest == Envelope(TASK.header, arrays).digest


def seconds(program: str) -> float:
    """Processor time of a Python that runs this line, the least of three."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(3))


def test_a_courier_starts_nearly_as_fast_as_flower_alone() -> None:
    alone, courier = seconds("import flwr.clientapp, numpy"), seconds("import client.app")
    print(f"Flower {alone:.2f} s, courier {courier:.2f} s")
    assert courier < 2 * alone
