"""Whatever goes wrong at a hospital, no text of an exception and no patient's value leaves it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import client.agent.agent as agent_module
from client.agent.agent import WORK
from client.readers import READERS
from shared.errors import Problem, SiteError
from shared.study import Study
from shared.wire import Envelope, Refused, Train
from tests.small import SITES, agent_of, ask_counts, ask_figures, ask_round, ask_tallies, hospital, small_study

SECRET = "PATIENT-SECRET"
Logged = pytest.LogCaptureFixture
QUESTIONS = [ask_counts, ask_round, ask_tallies, ask_figures]


def everything_outside(reply: Envelope, state: Path) -> bytes:
    """The reply as it travels and as it is kept, and the books."""
    files = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    return b"".join([reply.to_bytes(), reply.header.model_dump_json().encode(), *files])


def boom(*_: object) -> object:
    raise ValueError(SECRET)


def check_silent(reply: Envelope, state: Path, code: str) -> None:
    assert isinstance(reply.header, Refused)
    assert reply.header.code == code
    assert not reply.arrays
    assert SECRET.encode() not in everything_outside(reply, state)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_reader_that_fails(
    question: Callable[[Study], Envelope], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(READERS, "tabular", boom)
    site = hospital(tmp_path)
    check_silent(agent_of(site).answer(question(small_study(tmp_path))), site.state, "internal")


@pytest.mark.parametrize(
    "failure", [ValueError(SECRET), OSError(5, SECRET, SECRET), KeyError(SECRET), RuntimeError(SECRET)]
)
def test_work_that_fails(failure: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Logged) -> None:
    def fails(*_: object) -> object:
        raise failure

    site = hospital(tmp_path)
    monkeypatch.setitem(WORK, Train, fails)
    check_silent(agent_of(site).answer(ask_round(small_study(tmp_path))), site.state, "internal")
    assert f"{type(failure).__name__} at test_silence.py:" in caplog.text  # where, for the hospital's own people
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", ["client.agent.books.LedgerFile", "client.agent.books.EgressLog.append"])
def test_books_that_fail(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Logged) -> None:
    site = hospital(tmp_path)
    monkeypatch.setattr(name, boom)
    check_silent(agent_of(site).answer(ask_counts(small_study(tmp_path))), site.state, "internal")
    assert SECRET not in caplog.text


def test_a_fault_of_the_hospitals_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> object:
        raise SiteError([Problem("patients.csv", SECRET, "is wrong")])

    site = hospital(tmp_path)
    monkeypatch.setattr("client.archive.read_cohort", faulty)
    check_silent(agent_of(site).answer(ask_counts(small_study(tmp_path))), site.state, "data-unreadable")


def test_a_reply_that_must_not_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(*_: object) -> object:
        reply = agent_module.describe(*_)[0]  # type: ignore[arg-type]
        return Envelope(reply.header, {SECRET: np.ones(40)}), None

    site = hospital(tmp_path)
    monkeypatch.setitem(WORK, type(ask_counts(small_study(tmp_path)).header), rows)
    check_silent(agent_of(site).answer(ask_counts(small_study(tmp_path))), site.state, "wrong-shape")


@pytest.mark.parametrize("name", SITES)
def test_no_patients_name_or_value_is_in_any_reply_or_book(name: str, tmp_path: Path) -> None:
    """Identifiers and measured values of the table stand in none of the messages of a run and none of the books."""
    site = hospital(tmp_path, name, open_to_all=True)
    study = small_study(tmp_path).without_privacy()
    cells = {cell for line in (site.data / "patients.csv").read_text().splitlines()[1:] for cell in line.split(",")}
    telling = {cell for cell in cells if cell.startswith(f"{name}-") or len(cell) > 4}
    assert len(telling) > 40
    for question in QUESTIONS:
        reply = agent_of(site).answer(question(study))
        text = everything_outside(reply, site.state)
        assert not [cell for cell in telling if f'"{cell}"'.encode() in text or f":{cell},".encode() in text]
        assert f"{name}-".encode() not in text


@pytest.mark.parametrize("change", [{"run": "fold"}, {"weights": "names"}, {"weights": "shapes"}, {"study": "text"}])
def test_a_question_that_makes_no_sense_is_refused_with_a_code(change: dict[str, str], tmp_path: Path) -> None:
    study, site = small_study(tmp_path), hospital(tmp_path)
    task = ask_round(study)
    header, arrays = task.header, task.arrays
    assert isinstance(header, Train)
    if change == {"run": "fold"}:
        header = header.model_copy(update={"run": header.run.model_copy(update={"fold": "none"})})
    elif change == {"study": "text"}:
        header = header.model_copy(update={"study": "{}"})
    elif change == {"weights": "names"}:
        arrays = {f"x.{name}": values for name, values in arrays.items()}
    else:
        arrays = {name: values[None] for name, values in arrays.items()}
    reply = agent_of(site).answer(Envelope(header, arrays))
    assert isinstance(reply.header, Refused)
    codes = {"run": "no-such-run", "weights": "wrong-weights", "study": "study-unreadable"}
    assert reply.header.code == codes[next(iter(change))]
    assert not (site.state / "ledger.jsonl").exists()
