"""A small federation of any study in one process, with hospitals that can be made to fail; the fixture runs it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from flwr.app import Message

from client.ledger_file import LedgerFile
from server.record import RunRecord, load_records
from server.report.results import Results
from server.validation.assemble import assemble
from shared.privacy.records import Spend
from shared.study import Study
from shared.study_file import study_from_text
from shared.wire import Envelope, Reply, Train
from simulations.arms import Answerer, Hooks, open_consortium, run_arms
from simulations.fault import Fault
from simulations.hospitals import invent
from simulations.site_file import write_site_file
from simulations.study_run import hospitals_key

DEADLINE = 0.5  # seconds; a late hospital comes after it


@dataclass(frozen=True)
class Crossing:
    """A message that crossed a hospital's border."""

    site: str
    direction: Literal["in", "out"]
    envelope: Envelope


@dataclass(frozen=True)
class Federation:
    """What a small federation left behind."""

    study: Study
    folder: Path
    results: Results
    records: Sequence[RunRecord]
    ledgers: Mapping[str, Sequence[Spend]]  # by hospital, all runs
    messages: Sequence[Crossing] = field(repr=False)

    @property
    def failures(self) -> list[tuple[str, str]]:
        """(hospital, sentence) of everything that went wrong, in order."""
        return [(failure.site, failure.sentence) for record in self.records for failure in record.failures]


def run_federation(study: Study, data: Path, folder: Path, faults: Mapping[str, Fault]) -> Federation:
    """Run every arm of a study over the hospitals in ``data``, as its privacy says and no other way."""
    crossings: list[Crossing] = []
    begun = time.monotonic()
    consortium = open_consortium(study, data, folder / "hospitals")
    run_arms(study, consortium, folder, _hooks(faults, crossings), twins=False)
    records = load_records(folder)
    return Federation(
        study=study,
        folder=folder,
        results=assemble(study, records, "in-process", {}, time.monotonic() - begun),
        records=records,
        ledgers={
            site: [s for record in records for s in LedgerFile(folder / "hospitals" / site / record.run.name).spends]
            for site in study.sites
        },
        messages=crossings,
    )


def shrunk(study: Study, sites: int, rounds: int, patients: int) -> Study:
    """The same study with few hospitals, patients and rounds, and the federated arm alone."""
    values: dict[str, Any] = json.loads(study.text)
    names = [*study.sites, *(f"site-{number}" for number in range(len(study.sites) + 1, sites + 1))][:sites]
    values["sites"] = {name: {**values["sites"].get(name, {}), "patients": patients} for name in names}
    cohorts = values["cohorts"]
    if cohorts["scheme"] == "site-holdout":
        outside = names[-1:] if cohorts.get("external") else []
        cohorts.update(train=[name for name in names if name not in outside], external=outside)
    for key in {"external", "test"} & set(cohorts):
        cohorts[key] = names[-1:] if cohorts[key] else []
    if cohorts["scheme"] == "temporal":
        for name, entry in values["sites"].items():
            entry["training"] = None if name in cohorts["external"] else round(0.7 * patients)
    values["arms"] = {"run": ["federated"]}
    values["training"].update(rounds=rounds, steps=1)
    return study_from_text(json.dumps(values))


def invented_hospitals(study: Study, folder: Path) -> Path:
    """The small study's invented hospitals, made once a session; they report figures of any number of patients."""
    data = folder / f"hospitals-{hospitals_key(study)}"
    if not data.exists():
        invent(study, data)
        for site in study.sites:
            write_site_file(data / site, site, min_cell=1, min_class=2, min_patients=2)
    return data


def _hooks(faults: Mapping[str, Fault], crossings: list[Crossing]) -> Hooks:
    def watch(site: str, message: Message) -> None:
        direction: Literal["in", "out"] = "out" if message.metadata.reply_to_message_id else "in"
        if not message.has_error():
            with suppress(ValueError):  # of a hospital that was made to answer something else
                crossings.append(Crossing(site, direction, Envelope.from_record(message.content)))

    def delay(site: str, message: Message) -> float:
        fault = faults.get(site)
        late = fault and fault.kind == "late" and _hit(fault, Envelope.from_record(message.content))
        return 10 * DEADLINE if late else 0.0

    def crash(site: str, message: Message) -> bool:
        fault = faults.get(site)
        return bool(fault and fault.kind == "fail" and _hit(fault, Envelope.from_record(message.content)))

    before: dict[str, Envelope] = {}  # what each hospital with a fault answered last

    def between(site: str, task: Envelope, answer: Answerer) -> Envelope:
        fault = faults.get(site)
        if fault is None or fault.kind in ("fail", "late") or not _hit(fault, task):
            before[site] = answer(task)
            return before[site]
        if fault.kind == "unreachable":
            raise ConnectionError("this hospital was made to fail")
        reply = answer(task)
        last, before[site] = before.get(site, reply), reply
        return last if fault.kind == "stale" else WRONG[fault.kind](reply)

    return Hooks(watch=watch, delay=delay, crash=crash, between=between, deadline=DEADLINE if faults else 60.0)


def _changed(change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Callable[[Envelope], Envelope]:
    return lambda reply: Envelope(reply.header, {name: change(values) for name, values in reply.arrays.items()})


def _foreign(reply: Envelope) -> Envelope:
    assert isinstance(reply.header, Reply)
    assert reply.header.run
    run = reply.header.run.model_copy(update={"study": "0" * 64})
    return reply.of_run(run)


def _untyped(reply: Envelope) -> Envelope:
    return Envelope(reply.header.model_copy(update={"kind": "gossip"}), reply.arrays)


WRONG: dict[str, Callable[[Envelope], Envelope]] = {
    "nonsense": _changed(lambda values: np.full_like(values, np.nan)),
    "huge": _changed(lambda values: values * np.float32(1e6)),
    "swollen": _changed(lambda values: np.resize(values, (1000, *values.shape))),
    "flipped": _changed(lambda values: -values),
    "foreign": _foreign,
    "untyped": _untyped,
}


def _hit(fault: Fault, task: Envelope) -> bool:
    return fault.hits(task.header.kind, task.header.round if isinstance(task.header, Train) else None)
