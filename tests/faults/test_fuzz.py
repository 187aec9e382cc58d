"""Whatever comes through the socket: the agent lives, answers with a reply of ours, and leaks nothing of the data."""

import json
import logging
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from client.agent.service import Service
from client.exchange import METHOD, SERVICE, whole
from client.log_file import log_to
from client.site import load_front
from client.verification import faults_of
from shared.wire import PACKED, Envelope, Refused, Reply, pack
from tests.resident import approve, real, target
from tests.small import ask_counts, ask_figures, ask_round, ask_tallies, egress, hospital, small_study

SECRET = "PATIENT-SECRET"
OF_ONE_SITE = 400  # messages; the books are read for each, so a new hospital takes over
FEW, MANY = 150, 10_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def tasks(folder: Path) -> list[Envelope]:
    study = small_study(folder)
    return [ask_counts(study), ask_round(study), ask_round(study, 2, "fusion"), ask_tallies(study), ask_figures(study)]


def settled(examples: int):
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks, database=None)


@st.composite
def broken(draw: st.DrawFn, valid: list[Envelope]) -> bytes:
    """Anything at all, a message with bytes changed, or one that is well packed with a hostile header or arrays."""
    task = draw(st.sampled_from(valid))
    kind = draw(st.sampled_from(["noise", "bytes", "header", "arrays", "length"]))
    content = bytearray(task.to_bytes())
    if kind == "noise":
        return draw(st.binary(max_size=200))
    if kind == "bytes":
        for _ in range(draw(st.integers(1, 5))):
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
        return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)
    if kind == "length":
        return struct.pack("<Q", draw(st.integers(0, 2**64 - 1))) + bytes(content[8:])
    header = json.loads(task.header.model_dump_json())
    if kind == "header":
        where = draw(st.sampled_from([header, header["run"]]))
        key = draw(st.sampled_from([*where, "more"]))
        where[key] = draw(JSON)
        if draw(st.booleans()):
            where.pop(draw(st.sampled_from(sorted(where))))
        return bytes(save(task.arrays, metadata={"header": json.dumps(header)}))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    kinds = ["float32", "float64", "float16", "int64", "uint8", "bool"]
    values = np.full(shape, draw(st.sampled_from([0, 1, np.nan, np.inf, 1e30])), np.float64)
    with np.errstate(all="ignore"):
        array = values.astype(draw(st.sampled_from(kinds)))
    name = draw(st.sampled_from([*task.arrays, "", "x" * 50, "../../etc/passwd"]))
    return bytes(save({**task.arrays, name: array}, metadata={"header": task.header.model_dump_json()}))


class Hospitals:
    """One hospital after the other, each with patients whose values must not leave."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._asked, self._places = folder, 0, 0
        self.valid = tasks(folder)
        self._service: Service | None = None

    def ask(self, content: bytes) -> bytes:
        if self._asked % OF_ONE_SITE == 0:
            self.close()
            self._open()
        self._asked += 1
        call = self._channel.stream_stream(f"/{SERVICE}/{METHOD}")(whole(content), timeout=60)
        return b"".join(call)

    def _open(self) -> None:
        self._places += 1
        site = hospital(self._folder / f"{SECRET}-{self._places}")
        table = site.data / "patients.csv"
        table.write_text(table.read_text().replace("north-", f"{SECRET}-"))
        approve(site, small_study(self._folder))
        self.site = site
        self._service = Service(real(site), load_front(site.data / "site.toml"), 0.2)
        self._service.start()
        self._channel = grpc.insecure_channel(target(site))

    def close(self) -> None:
        if self._service:
            answer = Envelope.from_bytes(self.ask_one(self.valid[0].to_bytes()))
            assert answer.header.kind == "described", "it still works"
            self._channel.close()
            self._service.stop(0.1)
            self._service = None
            assert faults_of(self.site.state) == []
            assert SECRET not in json.dumps(egress(self.site))

    def ask_one(self, content: bytes) -> bytes:
        return b"".join(self._channel.stream_stream(f"/{SERVICE}/{METHOD}")(whole(content), timeout=60))


@contextmanager
def hospitals(folder: Path) -> Iterator[Hospitals]:
    place = Hospitals(folder)
    try:
        yield place
    finally:
        place.close()


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_the_socket(examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    with hospitals(tmp_path) as place:

        @settled(examples)
        @given(content=broken(place.valid))
        def fuzz(content: bytes) -> None:
            answer = place.ask(content)
            header = Envelope.from_bytes(answer).header
            assert isinstance(header, Refused | Reply)
            assert SECRET.encode() not in answer
            assert str(tmp_path).encode() not in answer
            assert not (isinstance(header, Refused) and header.code == "internal"), "met what nobody thought of"

        fuzz()
    assert not failures


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_the_parser(examples: int, tmp_path: Path) -> None:
    """A message of ours, or ValueError without a word of what came."""
    valid = tasks(tmp_path)

    @settled(examples)
    @given(content=broken(valid), record=records())
    def fuzz(content: bytes, record: RecordDict) -> None:
        for made in (parsed(Envelope.from_bytes, content), parsed(Envelope.from_record, record)):
            assert made is None or Envelope.from_bytes(made.to_bytes()).digest == made.digest

    fuzz()


def parsed(parse: Callable[[Any], Envelope], given: object) -> Envelope | None:
    """A message, or None where it was refused without a word of what came."""
    failure = None
    try:
        return parse(given)
    except ValueError as error:
        failure = error
    assert SECRET not in str(failure)
    assert failure.__cause__ is None
    return None


@st.composite
def records(draw: st.DrawFn) -> RecordDict:
    """What a server could put into Flower's record."""
    text = draw(st.sampled_from([json.dumps({"kind": "describe"}), SECRET]) | st.text(max_size=30))
    array = Array(
        dtype=draw(st.sampled_from(["float32", "object", "", "<U4", "float64"])),
        shape=tuple(draw(st.lists(st.integers(-1, 3), max_size=3))),
        stype=draw(st.sampled_from(["numpy.ndarray", "pickle", "", PACKED])),
        data=draw(st.binary(max_size=100) | st.just(pack({"x": np.ones(3)})[PACKED].data)),
    )
    arrays = draw(st.sampled_from([{}, {PACKED: array}, {"x": array}, {PACKED: array, "x": array}]))
    parts = {
        "header": ConfigRecord({draw(st.sampled_from(["json", "more"])): text}),
        "arrays": ArrayRecord(arrays),
        "metrics": MetricRecord({"a": 1.0}),
    }
    return RecordDict({name: parts[name] for name in draw(st.sets(st.sampled_from(sorted(parts))))})


def test_the_log_holds_no_text_of_an_exception(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    log_to(tmp_path, "agent")
    try:
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("client.some").exception("it failed")
            logging.getLogger("pandas").warning(SECRET)
    finally:
        logging.getLogger().handlers[0].close()
        logging.getLogger().handlers[:] = before[0]
        logging.getLogger().setLevel(before[1])
    path = tmp_path / "log" / "agent.log"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"] for line in lines] == ["it failed", "a library's message, not kept"]
    assert lines[0]["failure"] == "ValueError"
    assert SECRET not in path.read_text()
    assert not path.stat().st_mode & 0o077
