"""What an agent answers: for runs that the study has, by the groups that it declares, with counts that may be told."""

import csv
from pathlib import Path

import pytest

from client.agent.work import PROTECTED
from client.site import Site
from shared.study import Study
from shared.wire import CohortCount, Described, Envelope, Refused, SiteFigures, Task, Trained
from tests.small import agent_of, ask_counts, ask_figures, ask_round, ask_tallies, hospital, run_of, small_study

QUESTIONS = [ask_counts, ask_round, ask_tallies, ask_figures]
LEFT_OUT = 'cohorts={scheme="leave-one-site-out", internal=0.25}'


def refusal(reply: Envelope) -> str:
    assert isinstance(reply.header, Refused), reply.header
    assert not reply.arrays
    return reply.header.code


def of_run(task: Envelope, **changes: str) -> Envelope:
    assert isinstance(task.header, Task)
    run = task.header.run.model_copy(update=changes)
    return Envelope(task.header.model_copy(update={"run": run}), task.arrays)


def rewrite(site: Site, **columns: str) -> None:
    """Give every patient the same value in a column; an empty name of it drops the column."""
    path = site.data / "patients.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{**row, **columns} for row in csv.DictReader(file)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "change",
    [
        {"fold": "none"},
        {"fold": "south"},
        {"arm": "alone"},
        {"arm": "alone:"},
        {"arm": "alone:east"},
        {"arm": "alone:south"},  # external: it does not train
        {"arm": "federated:north"},
        {"arm": "federated2"},
        {"arm": "pooled"},  # not among this study's arms
        {"arm": ""},
    ],
)
def test_a_run_that_the_study_does_not_have_is_refused(change: dict[str, str], question, tmp_path: Path) -> None:
    study, site = small_study(tmp_path, 'arms.run=["alone", "federated"]'), hospital(tmp_path)
    assert refusal(agent_of(site).answer(of_run(question(study), **change))) == "no-such-run"
    assert not (site.state / "ledger.jsonl").exists()
    assert not (site.state / "commitments.json").exists()


@pytest.mark.parametrize(
    ("fold", "arm", "known"),
    [
        ("north", "federated", True),
        ("main", "federated", False),
        ("south", "alone:north", True),
        ("south", "alone:south", False),
    ],
)
def test_the_runs_of_a_study_that_leaves_one_out(fold: str, arm: str, known: bool, tmp_path: Path) -> None:
    study, site = small_study(tmp_path, LEFT_OUT, 'arms.run=["alone", "federated"]'), hospital(tmp_path)
    reply = agent_of(site).answer(of_run(ask_counts(study), fold=fold, arm=arm))
    assert reply.header.kind == ("described" if known else "refused")


def trained(site: Site, study: Study, number: int, stage: str) -> Envelope:
    reply = agent_of(site).answer(ask_round(study, number, stage))
    assert isinstance(reply.header, Trained), reply.header
    return reply


def test_a_stage_in_which_a_hospital_has_no_group_is_empty_and_costs_nothing(tmp_path: Path) -> None:
    study, site = small_study(tmp_path, 'sites.north.lacks=["blood"]'), hospital(tmp_path)
    first = trained(site, study, 1, "encoders")
    assert {name.split(".")[1] for name in first.arrays} == {"clinical"}
    spent = (site.state / "ledger.jsonl").read_bytes()
    for number in (1, 2, 1):
        empty = trained(site, study, number, "fusion")
        assert empty.arrays == {}
        assert isinstance(empty.header, Trained)
        assert isinstance(first.header, Trained)
        assert (empty.header.releases, empty.header.epsilon) == (0, first.header.epsilon)
    assert (site.state / "ledger.jsonl").read_bytes() == spent
    assert len(list((site.state / "outbox").iterdir())) == 1


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
def test_which_modalities_single_patients_have_does_not_show_in_what_is_sent(stage: str, tmp_path: Path) -> None:
    """Groups follow the declaration: not even a modality that nobody has is missing from an update."""
    study, whole, bare = small_study(tmp_path), hospital(tmp_path / "a"), hospital(tmp_path / "b")
    rewrite(bare, crp="", hb="")
    updates = [trained(site, study, 1, stage).arrays for site in (whole, bare)]
    assert {n: v.shape for n, v in updates[0].items()} == {n: v.shape for n, v in updates[1].items()}
    assert all(values.any() for name, values in updates[1].items() if "blood" in name)
    tallies = agent_of(bare).answer(ask_tallies(study)).arrays
    assert set(tallies) == set(study.models)


def counts(site: Site, study: Study) -> dict[str, CohortCount]:
    header = agent_of(site).answer(ask_counts(study)).header
    assert isinstance(header, Described)
    return {count.role: count for count in header.cohorts}


def test_under_privacy_the_events_of_training_patients_stay(tmp_path: Path) -> None:
    site, study = hospital(tmp_path, open_to_all=True), small_study(tmp_path)
    known, own = counts(site, study.without_privacy()), counts(site, study)
    assert (own["train"].n, own["train"].events, own["train"].reason) == (30, None, PROTECTED)
    assert (known["train"].n, known["train"].events, known["train"].reason) == (30, 15, "")
    south = hospital(tmp_path, "south")
    assert (counts(south, study)["external"].n, counts(south, study)["external"].events) == (40, 20)


def test_under_privacy_no_reason_tells_of_the_events_of_training_patients(tmp_path: Path) -> None:
    """Whether none, few or all of them had the event: the answer is the same to the last byte."""
    study, answers = small_study(tmp_path, "cohorts.internal=0.0"), []
    for place, ill in enumerate(("no", "yes", "")):
        site = hospital(tmp_path / str(place))
        if ill:
            rewrite(site, ill=ill)
        answers.append(agent_of(site).answer(ask_counts(study)).to_bytes())
    few = hospital(tmp_path / "few")
    table = few.data / "patients.csv"
    table.write_text(table.read_text().replace(",yes,", ",no,").replace(",no,", ",yes,", 2))
    answers.append(agent_of(few).answer(ask_counts(study)).to_bytes())
    assert len(set(answers)) == 1


def test_every_model_is_scored_on_every_patient(tmp_path: Path) -> None:
    """No difference between two models' figures is one of whom they were made of."""
    site, study = hospital(tmp_path, open_to_all=True), small_study(tmp_path).without_privacy()
    header = agent_of(site).answer(ask_figures(study)).header
    figures: tuple[SiteFigures, ...] = header.figures  # type: ignore[union-attr]
    training = {f.model: f for f in figures if f.role == "train"}
    assert set(training) == set(study.models)
    assert {(f.n, f.events) for f in training.values()} == {(30, 15)}
    for own in training.values():
        assert own.auc is not None
        assert own.event_cells is own.other_cells is None
        assert set(own.reasons) == {"cells"}


def test_the_cells_that_leave_are_those_around_the_threshold(tmp_path: Path) -> None:
    """A threshold far from all scores puts every patient on one side of the grid's middle."""
    site, study = hospital(tmp_path, "south", open_to_all=True), small_study(tmp_path)
    asked = ask_figures(study)
    high = asked.header.model_copy(update={"thresholds": dict.fromkeys(study.models, 5.0)})
    header = agent_of(site).answer(Envelope(high, asked.arrays)).header
    for own in header.figures:  # type: ignore[union-attr]
        for cells in (own.event_cells, own.other_cells):
            middle = cells.edges.index(50)
            assert (sum(cells.counts[:middle]), sum(cells.counts[middle:])) == (20, 0)


def test_what_asks_for_nothing_is_refused(tmp_path: Path) -> None:
    study, agent = small_study(tmp_path), agent_of(hospital(tmp_path))
    for message in (Envelope(Refused(code="no", sentence="no")), agent.answer(ask_counts(study))):
        assert refusal(agent.answer(message)) == "not-a-task"


def test_books_that_cannot_be_opened_are_a_refusal(tmp_path: Path) -> None:
    site = hospital(tmp_path)
    site.state.write_text("a file where the folder should be")
    for question in QUESTIONS:
        assert refusal(agent_of(site).answer(question(small_study(tmp_path)))) == "internal"


def test_two_studies_whose_digests_begin_alike_are_two(tmp_path: Path) -> None:
    """A run is known by its whole key; a text under another digest is not answered because a desk is open."""
    study, agent = small_study(tmp_path), agent_of(hospital(tmp_path))
    assert agent.answer(ask_counts(study)).header.kind == "described"
    alike = run_of(study).study[:12] + "0" * 52
    assert refusal(agent.answer(of_run(ask_counts(study), study=alike))) == "wrong-digest"


@pytest.mark.parametrize("question", [ask_round, ask_tallies])
@pytest.mark.parametrize(("name", "arm"), [("south", "federated"), ("north", "alone:west"), ("north", "pooled")])
def test_a_hospital_trains_only_in_runs_that_it_trains_in(name: str, arm: str, question, tmp_path: Path) -> None:
    study = small_study(tmp_path, 'arms.run=["alone", "federated", "pooled"]')
    site = hospital(tmp_path, name)
    assert refusal(agent_of(site).answer(of_run(question(study), arm=arm))) == "not-training"
    assert not (site.state / "ledger.jsonl").exists()
