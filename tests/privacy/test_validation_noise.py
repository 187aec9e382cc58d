"""Validation patients with a budget: one noised tally of each model, charged to the ledger, and nothing exact."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from client.__main__ import COMMANDS, read_call
from client.evaluation import Ward
from client.gatekeeper import check_outgoing
from client.ledger_file import LedgerFile
from client.noised import exact_tallies, noised_figures
from client.site import Limits
from shared.batch import Batch
from shared.command_line import run_command
from shared.errors import PrivacyRefusal, StudyError
from shared.metrics.noised import CELLS
from shared.portrait import Portrait
from shared.privacy.accounting import gaussian_epsilon
from shared.privacy.mechanism import plan_privacy, tally_deviation
from shared.study import Study
from shared.wire import CohortCount, Described, Envelope, Evaluated, Refused, SiteFigures, weights_digest
from tests.resident import approve
from tests.small import (
    agent_of,
    ask_counts,
    ask_figures,
    ask_round,
    ask_tallies,
    egress,
    hospital,
    ledger,
    moved_model,
    outbox,
    run_of,
    small_study,
)

BUDGET = "privacy.validation={epsilon=2.0, delta=1e-5}"
LIMITS = Limits(max_epsilon=10.0)


def noised_study(folder: Path, *overrides: str) -> Study:
    return small_study(folder, BUDGET, *overrides)


def answered(reply: Envelope) -> Evaluated:
    assert isinstance(reply.header, Evaluated), reply.header
    return reply.header


def refusal(reply: Envelope) -> str:
    assert isinstance(reply.header, Refused), reply.header
    return reply.header.code


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_emptying_a_record_moves_all_tallies_together_by_no_more_than_the_noise_is_made_for(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the scores (also no number), the thresholds, the rows a patient has, and what each of them lacks."""
    study = noised_study(
        tmp_path_factory.mktemp("s"), f"fusion.clip_share={data.draw(st.sampled_from([0.1, 0.5, 1.0]))}"
    )
    plan = plan_privacy(study)
    assert plan is not None
    assert plan.validation is not None
    units = data.draw(st.integers(2, 12))
    chance = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    owner = np.sort(chance.integers(0, max(units // 2, 1), units))
    present = {name: torch.from_numpy(chance.random(units) < 0.7) for name in study.modalities}
    truth = (chance.random((units, 1)) < 0.5).astype(np.float32)
    number = st.floats(-1e300, 1e300) | st.sampled_from([0.0, math.inf, -math.inf, math.nan])
    scores = {
        model: np.array(data.draw(st.lists(number, min_size=units, max_size=units)))[:, None] for model in study.models
    }
    thresholds = {model: data.draw(st.none() | st.floats(-20, 20)) for model in study.models}
    batch = Batch({}, present, torch.from_numpy(truth), torch.from_numpy(owner))
    whole = exact_tallies(batch, scores, thresholds)
    patient = owner[0]
    emptied = {name: there & torch.from_numpy(owner != patient) for name, there in present.items()}
    without = exact_tallies(Batch({}, emptied, batch.outcome, batch.owner), scores, thresholds)
    moved = sum(
        float(np.sum((whole[model] - without[model]) ** 2)) / tally_deviation(study, model, plan.validation) ** 2
        for model in study.models
    )
    assert moved <= plan.validation.noise_multiplier**-2 * (1 + 1e-9)


def test_the_noise_is_of_the_planned_size_in_every_cell(tmp_path: Path) -> None:
    study = noised_study(tmp_path)
    plan = plan_privacy(study)
    assert plan is not None
    assert plan.validation is not None
    ward = Ward(study.outcome, "external", np.zeros((40, 1)), np.arange(40), LIMITS)
    exact = {model: np.full((2, CELLS), 3.0) for model in study.models}
    drawn = [noised_figures(study, ward, exact, plan.validation) for _ in range(150)]
    for place, model in enumerate(study.models):
        cells = np.array([[own[place].noised.others, own[place].noised.events] for own in drawn])  # type: ignore[union-attr]
        deviation = tally_deviation(study, model, plan.validation)
        assert deviation == pytest.approx(plan.validation.noise_multiplier * (math.sqrt(2) if "+" in model else 2))
        count = cells.size
        assert abs(((cells - 3) / deviation) ** 2 - 1).mean() < 1.2
        assert abs(float((((cells - 3) / deviation) ** 2).sum()) - count) < 5 * math.sqrt(2 * count)
        assert abs(float(cells.mean()) - 3) < 5 * deviation / math.sqrt(count)
        assert np.array_equal(np.round(cells, 2), cells)
    assert drawn[0] != drawn[1]


def test_a_hospital_that_only_validates_spends_once_and_answers_with_the_same_bytes(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)
    first = agent_of(site).answer(ask_figures(study))
    header = answered(first)
    assert study.validation_noise is not None
    assert header.epsilon == pytest.approx(study.validation_noise.epsilon, rel=0.01)
    assert header.epsilon <= study.validation_noise.epsilon
    assert agent_of(site).answer(ask_figures(study)).digest == first.digest
    (line,) = ledger(site)
    assert (line["stage"], line["round"], line["steps"], line["budget"], line["delta"]) == (
        "validation",
        1,
        1,
        2.0,
        1e-5,
    )
    noise = float(line["noise_multiplier"])  # type: ignore[arg-type]
    assert gaussian_epsilon(1 / noise, 1e-5) == pytest.approx(header.epsilon)
    assert [path.stem for path in outbox(site)] == [line["digest"]] == [first.digest]
    assert {own["spend"] and own["spend"]["stage"] for own in egress(site)} == {"validation"}  # type: ignore[index]


def test_other_models_or_thresholds_of_the_run_get_nothing(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)
    agent = agent_of(site)
    answered(agent.answer(ask_figures(study)))
    weights = {name: value.detach().numpy() for name, value in moved_model(study).named_parameters()}
    moved = ask_figures(study)
    shifted = moved.header.model_copy(update={"thresholds": dict.fromkeys(study.models, 0.1)})
    steeper = moved.header.model_copy(update={"recalibration": {study.primary: (0.0, 2.0)}})
    for task in (ask_figures(study, weights), Envelope(shifted, moved.arrays), Envelope(steeper, moved.arrays)):
        assert refusal(agent.answer(task)) == "round-answered"
    assert len(ledger(site)) == 1


def test_nothing_exact_of_validation_patients_leaves(tmp_path: Path) -> None:
    """Two hospitals that differ in every outcome tell the same but for noise; nothing follows the truth exactly."""
    study = noised_study(tmp_path)
    site = hospital(tmp_path, "north", patients=120)
    table = site.data / "patients.csv"
    sick = table.read_text()
    agent = agent_of(site)
    told = [agent.answer(ask(study)).header for ask in (ask_counts, ask_figures)]
    site = hospital(tmp_path / "again", "north", patients=120)
    head, *rows = sick.splitlines()
    turned = [row.replace(",no,", ",?,").replace(",yes,", ",no,").replace(",?,", ",yes,") for row in rows]
    (site.data / "patients.csv").write_text("\n".join([head, *turned]) + "\n")
    agent = agent_of(site)
    others = [agent.answer(ask(study)).header for ask in (ask_counts, ask_figures)]
    for mine, theirs in zip(told, others, strict=True):
        assert _without_noise(mine) == _without_noise(theirs)
    internal = [own for own in answered_header(told[1]).figures if own.role == "internal"]
    assert len(internal) == len(study.models)
    assert all(own.noised and own.patients == 30 for own in internal)


def answered_header(header: object) -> Evaluated:
    assert isinstance(header, Evaluated)
    return header


def _without_noise(header: object) -> object:
    values = json.loads(header.model_dump_json())  # type: ignore[attr-defined]
    values.pop("head")
    for own in values.get("figures", ()):
        if own["noised"]:
            own["noised"] = own["noised"]["deviation"]
    return values


def tally(study: Study, **changes: object) -> SiteFigures:
    plan = plan_privacy(study)
    assert plan is not None
    assert plan.validation is not None
    cells = {"others": (1.5,) * CELLS, "events": (-2.0,) * CELLS,
             "deviation": tally_deviation(study, study.primary, plan.validation)}  # fmt: skip
    values = {"model": study.primary, "role": "external", "n": None, "events": None, "patients": 60, "noised": cells}
    return SiteFigures.model_validate_json(json.dumps({**values, **changes}))


EXACT: list[dict[str, object]] = [
    {"n": 60}, {"events": 30}, {"auc": 0.8}, {"auc_variance": 0.001}, {"brier": 0.1}, {"measures": {"c_index": 0.7}},
    {"n": 60, "events": 30, "event_cells": {"edges": [0, 100], "counts": [30]}},
    {"n": 60, "events": 30, "other_cells": {"edges": [0, 100], "counts": [30]}}, {"role": "train"}, {"target": "iii"},
]  # fmt: skip


@pytest.mark.parametrize("changes", EXACT)
def test_the_gate_refuses_anything_exact_beside_the_noise(changes: dict[str, object], tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south")
    sound = Evaluated(models="0" * 64, figures=(tally(study),), epsilon=1.9, releases=1)
    check_outgoing(Envelope(sound), site, None, study)
    leaky = sound.model_copy(update={"figures": (tally(study, **changes),)})
    with pytest.raises(PrivacyRefusal) as refused:
        check_outgoing(Envelope(leaky), site, None, study)
    assert refused.value.code in ("exact-figure", "too-few")


def test_the_gate_refuses_other_noise_no_charge_portraits_counts_and_few_patients(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south")
    sound = Evaluated(models="0" * 64, figures=(tally(study),), epsilon=1.9, releases=1)
    cells = tally(study).noised
    assert cells is not None
    quiet = tally(study).model_copy(update={"noised": cells.model_copy(update={"deviation": cells.deviation / 2})})
    counts = Described(cohorts=(CohortCount(role="external", n=60, events=30),), epsilon_limit=10.0)
    bad = {
        "wrong-noise": sound.model_copy(update={"figures": (quiet,)}),
        "not-charged": sound.model_copy(update={"epsilon": None}),
        "exact-figure": sound.model_copy(update={"portraits": (Portrait(role="external", patients=60),)}),
        "too-few": sound.model_copy(update={"figures": (tally(study, patients=19),)}),
    }
    for code, header in bad.items():
        with pytest.raises(PrivacyRefusal) as refused:
            check_outgoing(Envelope(header), site, None, study)
        assert refused.value.code == code
    with pytest.raises(PrivacyRefusal, match="noised"):
        check_outgoing(Envelope(counts), site, None, study)
    plain = small_study(tmp_path)
    with pytest.raises(PrivacyRefusal, match="no budget"):
        check_outgoing(Envelope(sound), site, None, plain)


def test_the_hospitals_limit_is_also_that_of_its_validation_patients(tmp_path: Path) -> None:
    site = hospital(tmp_path, "south", max_epsilon=3.0, patients=60)
    small = ["privacy.epsilon=2.5"]
    codes = []
    for seed in range(4):
        study = noised_study(tmp_path, *small, f"seed={seed}")
        reply = agent_of(site).answer(ask_figures(study)).header
        codes.append(reply.code if isinstance(reply, Refused) else "told")
    assert codes == ["told", "told", "hospital-limit", "hospital-limit"]
    assert len(ledger(site)) == 2
    commitments = json.loads((site.state / "commitments.json").read_text())
    assert len(commitments) == 2, "what is refused commits the hospital to nothing"
    greedy = small_study(tmp_path, *small, "privacy.validation={epsilon=3.5, delta=1e-5}")
    assert refusal(agent_of(site).answer(ask_counts(greedy))) == "hospital-limit"


def test_those_who_train_and_those_who_validate_have_a_budget_each(tmp_path: Path) -> None:
    """A whole run of a hospital with both: each line stands for itself, and the hospital's total composes them all."""
    study, site = noised_study(tmp_path), hospital(tmp_path, "north", patients=120)
    agent = agent_of(site)
    rounds = [ask_round(study, number, stage) for stage in ("encoders", "fusion") for number in (1, 2)]
    told = [agent.answer(task).header for task in [*rounds, ask_tallies(study), ask_figures(study)]]
    assert told[-2].epsilon == pytest.approx(8.0, rel=0.01)  # type: ignore[union-attr]
    assert told[-1].epsilon == pytest.approx(2.0, rel=0.01)  # type: ignore[union-attr]
    book = LedgerFile(site.state)
    assert [spend.stage for spend in book.spends][-2:] == ["threshold", "validation"]
    more = book.spends[-1].model_copy(update={"round": 2})
    with pytest.raises(PrivacyRefusal, match="budget-exhausted"):
        book.refuse_beyond(more, 1000.0)


def test_a_large_delta_does_not_make_other_studies_look_cheap(tmp_path: Path) -> None:
    """The limit is held at the smallest delta of all, and no study may ask for more than the hospital's own delta."""
    site = hospital(tmp_path, max_epsilon=9.0)
    first = small_study(tmp_path)
    for number, stage in ((1, "encoders"), (2, "encoders"), (1, "fusion"), (2, "fusion")):
        assert agent_of(site).answer(ask_round(first, number, stage)).header.kind == "trained"
    book = LedgerFile(site.state)
    run = run_of(small_study(tmp_path, "seed=9"))
    cheap = book.spends[0].model_copy(update={"delta": 0.05, "run": run, "noise_multiplier": 0.45, "steps": 1})
    assert gaussian_epsilon(math.sqrt(sum(s.steps / s.noise_multiplier**2 for s in (*book.spends, cheap))), 0.05) < 9.0
    with pytest.raises(PrivacyRefusal, match="over all studies"):
        book.refuse_beyond(cheap, 9.0)
    lax = small_study(tmp_path, "privacy.delta=0.05")
    assert refusal(agent_of(site).answer(ask_counts(lax))) == "hospital-delta"
    lax = small_study(tmp_path, "privacy.validation={epsilon=1.0, delta=0.05}")
    assert refusal(agent_of(site).answer(ask_counts(lax))) == "hospital-delta"


def test_a_hospital_below_its_minimum_spends_nothing(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=19)
    header = answered(agent_of(site).answer(ask_figures(study)))
    assert (header.epsilon, header.releases) == (None, 0)
    assert all(own.noised is None and own.reasons == {"all": "too few to report"} for own in header.figures)
    assert ledger(site) == []


def test_only_an_outcome_of_one_question_can_be_noised(tmp_path: Path) -> None:
    words = 'outcome={kind="ordinal", column="ill", predicted_at="admission", classes={a=["no"], b=["yes"], c=["q"]}}'
    with pytest.raises(StudyError, match=r"privacy\.validation"):
        noised_study(tmp_path, words)
    with pytest.raises(StudyError, match=r"privacy\.validation"):
        small_study(tmp_path, 'privacy={mechanism="none", validation={epsilon=1.0, delta=1e-5}}')


def test_the_hospitals_pages_say_it_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)

    def shown(*words: str) -> str:
        arguments = read_call(list(words))
        assert run_command(lambda: COMMANDS[arguments.command](arguments)) == 0
        return " ".join(capsys.readouterr().out.split())

    files = [str(site.data / "site.toml"), "--study", str(tmp_path / "small.toml"), "--set", BUDGET]
    signed = ["--by", "A. Name", "--role", "data protection officer", "--until", "2099-01-01", "--yes"]
    asked = shown("approve", *files, *signed)
    assert "one table of its scores by class with noise in every cell, and no more" in asked
    assert "of patients who validate: epsilon 2 at delta 1e-05 per patient and run" in asked
    assert "runs that validate here: 1" in asked
    assert "left after this study 8.0" in asked
    assert "protected by aggregation" not in asked
    assert "Patients who validate: epsilon 2 a run at delta 1e-05." in shown("check", *files)
    approve(site, study)
    answered(agent_of(site).answer(ask_figures(study)))
    book = shown("ledger", str(site.data / "site.toml"))
    assert "validation 1 1.99" in book
    assert "Over all studies: epsilon 1.99" in book
    assert "evaluated" in shown("egress", str(site.data / "site.toml"))
    assert "hold together" in shown("egress", str(site.data / "site.toml"), "--verify")


def test_the_digest_of_the_models_still_binds(tmp_path: Path) -> None:
    study, site = noised_study(tmp_path), hospital(tmp_path, "south", patients=60)
    task = ask_figures(study)
    wrong = task.header.model_copy(update={"models": weights_digest({})})
    assert refusal(agent_of(site).answer(Envelope(wrong, task.arrays))) == "wrong-models"
    assert ledger(site) == []
