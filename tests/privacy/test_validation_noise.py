"""Validation patients with a budget: one noised tally of each model, charged to the ledger, and nothing exact."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from client.evaluation import Ward
from client.gatekeeper import check_outgoing
from client.noised import exact_tallies, noised_figures
from client.site import Limits
from shared.batch import Batch
from shared.errors import PrivacyRefusal
from shared.metrics.noised import CELLS
from shared.portrait import Portrait
from shared.privacy.accounting import gaussian_epsilon
from shared.privacy.mechanism import plan_privacy, tally_deviation
from shared.study import Study
from shared.wire import CohortCount, Described, Envelope, Evaluated, SiteFigures
from tests.noised import answered, noised_study, refusal
from tests.small import (
    agent_of,
    ask_counts,
    ask_figures,
    egress,
    hospital,
    ledger,
    moved_model,
    outbox,
    small_study,
)

LIMITS = Limits(max_epsilon=10.0)


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
    values.pop("split", None)  # under a secret of each hospital's, so that it tells two of them nothing of anybody
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
