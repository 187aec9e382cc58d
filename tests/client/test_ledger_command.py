"""``python -m client ledger`` and ``egress``: what they print for a person, their exit codes, and their imports."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from client.__main__ import COMMANDS, read_call
from client.ledger_file import LedgerFile
from client.ledger_page import in_words
from client.site import Site
from shared.command_line import run_command
from shared.privacy.accounting import gaussian_delta
from shared.privacy.records import spent
from shared.wire import Envelope
from tests.small import agent_of, ask_counts, ask_figures, ask_round, ask_tallies, egress, hospital, small_study

ROOT = Path(__file__).parents[2]
Shown = pytest.CaptureFixture[str]


def call(site: Site, command: str, *words: str) -> int:
    given = read_call([command, str(site.data / "site.toml"), *words])
    return run_command(lambda: COMMANDS[command](given))


def questions(folder: Path, *overrides: str) -> list[Envelope]:
    study = small_study(folder, *overrides)
    rounds = [ask_round(study, number, stage) for stage in ("encoders", "fusion") for number in (1, 2)]
    return [ask_counts(study), *rounds, ask_tallies(study), ask_figures(study)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital that answered two studies whole."""
    site = hospital(tmp_path, max_epsilon=12.0)
    for overrides in ((), ("seed=4", "privacy.epsilon=6", 'name="second"')):
        agent = agent_of(site)
        for task in questions(tmp_path, *overrides):
            assert agent.answer(task).header.kind != "refused"
    return site


def test_the_ledger_says_what_is_spent_and_left(site: Site, capsys: Shown) -> None:
    assert call(site, "ledger") == 0
    out, err = capsys.readouterr()
    assert err == ""
    digests = {spend.study_name: spend.run.study[:12] for spend in LedgerFile(site.state).spends}
    assert re.search(rf"small +{digests['small']} +main +federated +training +9 +7\.99\d +0\.00\d +0\.0001", out)
    assert re.search(rf"second +{digests['second']} +main +federated +training +9 +5\.99\d +0\.00\d +0\.0001", out)
    total = spent(LedgerFile(site.state).spends, 1e-4)
    assert f"epsilon {total:.3f} at delta 0.0001; this hospital allows 12, and {12 - total:.3f} is left" in out
    assert "In words: whoever has seen all of these releases" in out
    assert "left without privacy" not in out


def test_its_sentence_is_what_epsilon_means(site: Site) -> None:
    """The best test of a Gaussian mechanism keeps to e^epsilon times its false alarms, plus delta, for every delta."""
    spends = LedgerFile(site.state).spends
    found = re.search(r"at most (\S+) of 100 whose record was, if he wrongly names 5 of 100", in_words(spends))
    assert found
    power = float(found[1]) / 100
    bounds = [math.exp(spent(spends, delta)) * 0.05 + delta for delta in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)]
    assert min(bounds) == pytest.approx(power, abs=0.02)
    assert gaussian_delta(1.0, 0.0) < 0.5  # of a single release with as much noise as signal: far from certain
    few = spends[:1]
    weak = re.search(r"at most (\S+) of 100", in_words(few))
    assert weak
    assert 5 < float(weak[1]) < float(found[1])


def test_what_left_without_privacy_is_told(tmp_path: Path, capsys: Shown) -> None:
    site, study = hospital(tmp_path, open_to_all=True), small_study(tmp_path).without_privacy()
    for question in (ask_counts, ask_round, ask_tallies):
        agent_of(site).answer(question(study))
    assert call(site, "ledger") == 0
    out = capsys.readouterr().out
    assert "Nothing was released under privacy." in out
    assert "2 messages with what was trained left without privacy" in out


def test_a_hospital_without_books(tmp_path: Path, capsys: Shown) -> None:
    site = hospital(tmp_path)
    assert [call(site, "ledger"), call(site, "egress"), call(site, "egress", "--verify")] == [0, 0, 0]
    out = capsys.readouterr().out
    assert "Nothing was released under privacy." in out
    assert "0 of 0 messages" in out
    assert "There are no books yet." in out
    assert not site.state.exists(), "looking makes no books"


def test_egress_shows_what_left_newest_last(site: Site, capsys: Shown) -> None:
    assert call(site, "egress", "--last", "0") == 0
    out = capsys.readouterr().out
    assert "14 of 14 messages" in out
    assert out.index("trained encoders 1") < out.index("trained fusion 2") < out.rindex("evaluated")
    assert call(site, "egress", "--last", "2") == 0
    out = capsys.readouterr().out
    assert "2 of 14 messages" in out
    assert "trained" not in out
    tallied, evaluated = egress(site)[-2:]
    assert isinstance(tallied["norm"], float)
    line = next(line for line in out.splitlines() if "tallied" in line)
    assert "second main" in line
    assert "3 of 2x18" in line
    assert f"{tallied['norm']:.4g}" in line
    assert f"{tallied['bytes']:,}" in line
    assert re.search(r" 5\.99\d *$", line)
    assert evaluated["epsilon"] is None


def test_refusals_and_signatures_are_shown(site: Site, capsys: Shown) -> None:
    ledger = site.state / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    agent_of(site).answer(questions(site.data.parent)[0])
    signature = ("--resolve", "--by", "A. Name", "--reason", "an old backup")
    assert call(site, "ledger", *signature) == 0
    assert call(site, "egress", "--last", "2") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Entered in the ledger again from the egress log: 1 releases." in out
    assert "refused ledger-behind" in out
    assert "signed off by A. Name" in out
    assert "an old backup" in out
    assert call(site, "ledger", *signature) == 0
    assert "nothing to sign off" in capsys.readouterr().out


def test_verify_is_silent_of_faults_where_there_are_none(site: Site, capsys: Shown) -> None:
    assert call(site, "egress", "--verify") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The books hold together: 10 lines of the ledger" in out
    assert "egress log of 14 lines" in out


def test_verify_prints_one_line_a_fault(site: Site, capsys: Shown) -> None:
    ledger, log = site.state / "ledger.jsonl", site.state / "egress.jsonl"
    lines = ledger.read_text().splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "noise_multiplier": 1e6})
    ledger.write_text("".join(f"{line}\n" for line in lines))
    logged = log.read_text().splitlines()
    log.write_text("".join(f"{line}\n" for line in [*logged[:6], *logged[7:]]))  # an evaluation, of no ledger line
    (site.state / "outbox" / f"{json.loads(lines[4])['digest']}.safetensors").unlink()
    assert call(site, "egress", "--verify") == 1
    assert capsys.readouterr().out.splitlines() == [
        "ledger.jsonl line 1: was altered after it was written",
        "ledger.jsonl line 5: the copy of its release is not in the outbox",
        "egress.jsonl line 8: line 7 was removed before it",
    ]
    assert call(site, "ledger") == 1
    assert "altered or damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--resolve"],
        ["--resolve", "--by", "A. Name"],
        ["--resolve", "--reason", "because"],
        ["--resolve", "--by", " ", "--reason", "because"],
        ["--by", "A. Name", "--reason", "because"],
    ],
)
def test_a_signature_has_a_name_and_a_reason(words: list[str], site: Site) -> None:
    with pytest.raises(SystemExit) as stopped:
        call(site, "ledger", *words)
    assert stopped.value.code == 2


def test_a_wrong_call_is_refused(tmp_path: Path, capsys: Shown) -> None:
    site = hospital(tmp_path)
    (site.data / "site.toml").unlink()
    assert [call(site, "ledger"), call(site, "egress"), call(site, "egress", "--verify")] == [2, 2, 2]
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call(site, "egress", "--last", "-1")


@pytest.mark.parametrize("words", [["ledger"], ["egress"], ["egress", "--verify"], ["ledger", "--resolve"]])
def test_no_command_waits_for_torch_and_those_that_read_not_for_flower(words: list[str], site: Site) -> None:
    signature = ["--by", "A", "--reason", "B"] if "--resolve" in words else []
    command, *rest = [*words, *signature]
    line = [sys.executable, "-X", "importtime", "-m", "client", command, str(site.data / "site.toml"), *rest]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, check=True)
    imported = set(re.findall(r"\| +([A-Za-z_]+)", done.stderr))
    assert not imported & {"torch", "flwr", "pandas", "monai", "opacus", "dp_accounting", "safetensors"}
    assert "scipy" not in imported or command == "ledger"
