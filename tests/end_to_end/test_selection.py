"""Columns are chosen from counts that add up over hospitals, once a run, and the model reads no others."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.feature_selection import mutual_info_classif

from client.agent.desk import Desk
from client.archive import Archive
from client.gatekeeper import check_outgoing
from client.selection import answer, gathered, placed
from client.site import load_site
from server.record import load_records
from shared.errors import PrivacyRefusal, StudyError
from shared.modalities.tabular import Tabular
from shared.selection import CELLS, abs_correlation, cramer_v, kept, mask, mutual_information, scores
from shared.study import Study
from shared.wire import Counted, Envelope
from simulations.arms import Hooks, open_consortium, run_arms
from tests.small import SITE, SITES, ask_round, random_batch, run_of, small_study

OPEN = 'privacy={mechanism="none"}'
NAMES = ["age", "crp", "hb", "noise1", "noise2", "noise3"]
NUMBERS = ",".join(f"{name}={{range=[0,100]}}" for name in NAMES)
WORDS = 'sex={values=["f","m"]},smoker={values=["no","yes","once"]}'


def chosen_by(by: str, keep: int = 3) -> str:
    """The clinical table with eight columns, of which three say something: age, crp (upside down) and smoker."""
    table = f'kind="tabular",numeric={{{NUMBERS}}},categorical={{{WORDS}}}'
    return f'modalities.clinical={{{table},select={{by="{by}",keep={keep}}}}}'


def with_columns(folder: Path, name: str, patients: int = 160) -> None:
    place, chance = folder / name, np.random.default_rng(SITES.index(name))
    place.mkdir(parents=True)
    with (place / "patients.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["patient_id", "ill", *NAMES, "sex", "smoker"])
        for number in range(patients):
            ill = number % 2
            values = [chance.normal(45 + 12 * ill, 12), chance.normal(60 - 14 * ill, 12), *chance.normal(50, 12, 4)]
            smokes = chance.choice(["no", "yes", "once"], p=[0.2, 0.6, 0.2] if ill else [0.6, 0.2, 0.2])
            cells = ["" if chance.random() < 0.1 else f"{np.clip(value, 0, 100):.2f}" for value in values]
            table.writerow([f"{name}-{number}", ("no", "yes")[ill], *cells, "fm"[int(chance.integers(2))], smokes])
    (place / "site.toml").write_text(SITE.format(name=name, max_epsilon=10.0, open="true"), encoding="utf-8")


@pytest.mark.parametrize(
    ("by", "arms"),
    [("mutual-information", '["federated","pooled"]'), ("correlation", '["federated"]'), ("lasso", '["alone"]')],
)
def test_the_columns_that_say_something_are_chosen_and_the_model_reads_no_others(
    by: str, arms: str, tmp_path: Path
) -> None:
    study = small_study(tmp_path, OPEN, chosen_by(by), f"arms.run={arms}")
    for name in SITES:
        with_columns(tmp_path / "data", name)
    run_arms(study, open_consortium(study, tmp_path / "data", tmp_path / "state"), tmp_path / "run", Hooks())
    from safetensors.numpy import load_file

    for record in load_records(tmp_path / "run"):
        assert record.failures == ()
        assert record.notes == (f"clinical: 3 of 8 columns kept by {by}: age, crp, smoker",)
        weights = load_file(tmp_path / "run" / "models" / f"{record.run.name}.no-privacy.safetensors")
        read = weights["select.clinical"] == 1
        assert read.tolist() == mask(table_of(study), ["age", "crp", "smoker"]).astype(bool).tolist()
        readout = weights["encoders.clinical.readout.weight"][0]
        assert not readout[~read].any()
        assert readout[read].any()


def table_of(study: Study) -> Tabular:
    spec = study.modalities["clinical"]
    assert isinstance(spec, Tabular)
    return spec


def test_counts_add_up_and_hold_no_small_cell(tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, chosen_by("mutual-information"))
    spec, told = table_of(study), []
    for name in SITES:
        with_columns(tmp_path, name)
        batch = Archive(load_site(tmp_path / name / "site.toml")).batch(study)
        counts = answer(spec, study.outcome, batch, "clinical", 5)
        assert counts.shape == (8, 2, CELLS + 1)
        assert counts.sum(axis=(1, 2)).tolist() == [160.0] * 8
        assert not ((counts > 0) & (counts < 5)).any()
        told.append((counts, answer(spec, study.outcome, batch, "clinical", 1), batch))
    exact = sum(one for _, one, _ in told)
    assert kept(spec, scores(spec, sum(one for one, _, _ in told))) == kept(spec, scores(spec, exact))
    rows = torch.cat([batch.inputs["clinical"] for _, _, batch in told]).numpy()
    cells, ill = placed(spec, rows), torch.cat([batch.outcome[:, 0] for _, _, batch in told]).numpy()
    for column, own in enumerate(cells):
        table = np.array([np.bincount(own[ill == k], minlength=CELLS + 1) for k in (0, 1)], dtype=np.float64)
        np.testing.assert_array_equal(table, exact[column][:, : CELLS + 1])
        plain = mutual_info_classif(own[:, None], ill, discrete_features=True)[0]
        bias = (np.count_nonzero(table.sum(axis=0)) - 1) / (2 * len(ill))
        assert mutual_information(table) == pytest.approx(plain - bias, abs=1e-9)


def test_measures_of_association_by_hand() -> None:
    table = np.array([[8.0, 2.0, 0.0], [3.0, 7.0, 5.0]])
    one = np.repeat([0, 1, 0, 1], [8, 2, 3, 7])
    ill = np.repeat([0, 0, 1, 1], [8, 2, 3, 7])
    assert abs_correlation(table) == pytest.approx(abs(np.corrcoef(one, ill)[0, 1]))
    assert cramer_v(table[:, :2]) == pytest.approx(abs(np.corrcoef(one, ill)[0, 1]))
    assert mutual_information(np.zeros((2, 3))) == abs_correlation(np.zeros((2, 3))) == cramer_v(np.zeros((2, 2))) == 0
    assert gathered(np.array([[1.0, 4.0, 9.0], [5.0, 0.0, 8.0]]), 5).tolist() == [[5, 0, 9], [5, 0, 8]]
    assert not gathered(np.array([[1.0, 2.0], [50.0, 50.0]]), 5).any()


def test_no_small_count_leaves_and_nothing_where_a_hospital_is_closed(tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, chosen_by("correlation"))
    with_columns(tmp_path, "north")
    site = load_site(tmp_path / "north" / "site.toml")
    counts = np.full((8, 2, CELLS + 1), 6.0)
    check_outgoing(Envelope(Counted(), {"select.clinical": counts}), site, None, study, "federated")
    small = counts.copy()
    small[3, 1, 2] = 2.0
    closed = site.model_copy(update={"limits": site.limits.model_copy(update={"allow_without_privacy": False})})
    for place, arrays, code in (
        (site, {"select.clinical": small}, "small-cell"),
        (site, {"select.clinical": counts[:5]}, "wrong-shape"),
        (site, {"select.blood": counts}, "wrong-shape"),
        (closed, {"select.clinical": counts}, "privacy-required"),
    ):
        with pytest.raises(PrivacyRefusal) as refusal:
            check_outgoing(Envelope(Counted(), arrays), place, None, study, "federated")
        assert refusal.value.code == code


def test_a_hospital_trains_on_no_other_choice_than_a_mask_of_its_tables(tmp_path: Path) -> None:
    study = small_study(tmp_path, OPEN, chosen_by("correlation"))
    with_columns(tmp_path, "north")
    site = load_site(tmp_path / "north" / "site.toml")
    desk, weights = Desk(Archive(site), site, study, run_of(study)), ask_round(study).arrays
    good = mask(table_of(study), ["hb", "sex", "smoker"])
    for masks in ({}, {"select.blood": good}, {"select.clinical": good[:-1]}, {"select.clinical": good * 0.5}):
        with pytest.raises(PrivacyRefusal):
            desk.load({**weights, **masks})
    desk.load({**weights, "select.clinical": good})
    batch = random_batch(study, 4)
    other = torch.where(torch.from_numpy(good) == 1, batch.inputs["clinical"], torch.tensor(9.0))
    one, two = (desk.model.embed({"clinical": values})["clinical"] for values in (batch.inputs["clinical"], other))
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ((chosen_by("correlation"),), "no share of the budget pays for"),
        ((OPEN, chosen_by("lasso")), "counts of every pair of values"),
        ((OPEN, chosen_by("correlation", 8)), "keeps fewer than all 8 columns"),
    ],
)
def test_what_cannot_be_chosen_is_refused(overrides: tuple[str, ...], rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=rule):
        small_study(tmp_path, *overrides)
