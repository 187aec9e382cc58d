"""Prometheus metrics: on loopback, where a port was given; what they tell is what the journals and the books tell."""

import urllib.request
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from client.exporter import OfHospital
from server.__main__ import parser
from server.diary import Journal, journal_file
from server.exporter import OfHospitals, OfRun
from shared.errors import FileError
from shared.exporter import exported
from tests.resident import approve, free_port, real
from tests.small import ask_round, hospital, small_study

Values = dict[tuple[str, ...], float]


def asked(port: int) -> Values:
    """{(name, values of its labels in the order of their names): value}, read by Prometheus' own parser."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    families = text_string_to_metric_families(text)
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def test_a_run(tmp_path: Path) -> None:
    journal, port = Journal(journal_file(tmp_path, "federated")), free_port()
    journal.tell("asked", task="train encoders 1", sites=["north", "west"])
    journal.tell("answered", task="train encoders 1", site="north", seconds=2.5, bytes=100, epsilon=0.5)
    journal.tell("failed", task="train encoders 1", site="west", sentence="no answer")
    with exported(port, OfRun(tmp_path)):
        first = asked(port)
        journal.tell("round", stage="encoders", round=1, answered=["north"], seconds=3.0)
        journal.tell("answered", task="train encoders 2", site="north", seconds=1.5, bytes=50, epsilon=0.75)
        second = asked(port)
    assert first["medley_answers_total", "north", "federated"] == 1
    assert first["medley_answers_total", "west", "federated"] == 0
    assert first["medley_failures_total", "west", "federated"] == 1
    assert ("medley_rounds_total", "federated", "encoders") not in first
    assert second["medley_rounds_total", "federated", "encoders"] == 1
    assert second["medley_answer_bytes_total", "north", "federated"] == 150
    assert second["medley_answer_seconds", "north", "federated"] == 1.5
    assert second["medley_epsilon_spent", "north", "federated"] == 0.75


def test_who_is_connected() -> None:
    port = free_port()
    with exported(port, OfHospitals(lambda: {"north": "online", "west": "offline"})):
        assert asked(port) == {("medley_hospital_online", "north"): 1, ("medley_hospital_online", "west"): 0}


def test_a_hospital_tells_what_its_status_tells_and_no_patients_value(tmp_path: Path) -> None:
    site, study, port = hospital(tmp_path), small_study(tmp_path), free_port()
    approve(site, study)
    reply = real(site).answer(ask_round(study))
    with exported(port, OfHospital(site)):
        found = asked(port)
    spent = reply.header.epsilon
    assert found["medley_epsilon_spent",] == pytest.approx(spent)
    assert found["medley_epsilon_left",] == pytest.approx(10.0 - spent)
    assert found["medley_study_epsilon_spent", "approved", study.digest[:12]] == pytest.approx(spent)
    assert found["medley_messages_total", "trained"] == 1
    assert found["medley_healthy",] == 0, "no agent runs here"
    assert {key[0] for key in found} == {
        *("medley_healthy", "medley_epsilon_spent", "medley_epsilon_left", "medley_disk_free_bytes"),
        *("medley_study_epsilon_spent", "medley_messages_total"),
    }


def test_it_listens_on_loopback_only_and_ends(tmp_path: Path) -> None:
    port = free_port()
    with exported(port, OfRun(tmp_path)):
        found = [one.laddr for one in psutil.Process().net_connections("tcp") if one.laddr.port == port]
        assert {address.ip for address in found} == {"127.0.0.1"}
        with pytest.raises(FileError, match="cannot be listened at"), exported(port, OfRun(tmp_path)):
            pass
    with exported(port, OfRun(tmp_path)):
        pass


def test_without_a_port_nothing_listens(tmp_path: Path) -> None:
    before = len(psutil.Process().net_connections("tcp"))
    with exported(None, OfRun(tmp_path)):
        assert len(psutil.Process().net_connections("tcp")) == before
    for words in (["run", "f.toml", "--study", "s"], ["start", "f.toml"], ["resume", "run"]):
        assert parser().parse_args(words).metrics is None


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["start", "f.toml", "--metrics", port])
    assert "must be a port" in capsys.readouterr().err
