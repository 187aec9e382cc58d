"""Cox regressions over hospitals: the federated fit is that of all strata together, and its scores are survival's."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from client.gatekeeper import check_outgoing
from client.proportional import TOO_FEW, Hazards, gathered, sums
from client.site import load_site
from server.auditor import audit_named
from server.proportional import baseline
from server.record import load_records
from server.validation.rows import metric_rows
from shared.batch import Batch
from shared.errors import PrivacyRefusal, ReplyRejected, StudyError
from shared.metrics.cox import Stratum, cox_regression
from shared.model import MultimodalModel
from shared.outcomes.survival import Survival
from shared.proportional import array, exposure, inputs_of, log_odds, shapes
from shared.study import Study
from shared.wire import Envelope, Summed
from simulations.arms import Hooks, open_consortium, run_arms
from tests.small import SITE, SITES, small_study

TIMES = (
    'outcome={kind="survival",time="months",event="dead",positive=["yes"],negative=["no"],cuts=[6,12,24],'
    'unit="months",predicted_at="admission"}'
)
FIT = 'cox={fit={modalities=["clinical","blood"],ridge=0.01}}'
MAIN = 'evaluation={primary="clinical+blood"}'
OURS = (TIMES, FIT, MAIN, 'privacy={mechanism="none"}')


def followed(folder: Path, name: str, patients: int = 150) -> None:
    """A hospital whose patients die the sooner the older they are, and the higher their crp is; half are censored."""
    place, chance = folder / name, np.random.default_rng(SITES.index(name))
    place.mkdir(parents=True)
    with (place / "patients.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["patient_id", "months", "dead", "age", "sex", "crp", "hb"])
        for number in range(patients):
            age, crp = chance.uniform(20, 90), chance.uniform(0, 200)
            rate = 0.04 * np.exp(0.03 * (age - 55) + 0.008 * (crp - 100)) * (1 + SITES.index(name))
            death, end = chance.exponential(1 / rate), chance.uniform(1, 40)
            row = [f"{name}-{number}", f"{min(death, end):.3f}", "yes" if death < end else "no"]
            table.writerow([*row, f"{age:.2f}", "fm"[number % 2], f"{crp:.2f}", "10"])
    text = SITE.format(name=name, max_epsilon=10.0, open="true")
    (place / "site.toml").write_text(text, encoding="utf-8")


def strata(study: Study, folder: Path, sites: tuple[str, ...]) -> list[Stratum]:
    """What the hospitals' training patients are, read without the product's sums."""
    from simulations.comparators.run import of_role

    consortium, found = open_consortium(study, folder, folder / "other"), []
    from shared.boosting import features
    from shared.cohorts import folds

    for site in sites:
        batch = of_role(consortium.archives[site], study, folds(study)[0], "train")
        time, event = batch.outcome.numpy().astype(np.float64).T
        found.append(Stratum(time, event, features(("clinical", "blood"), batch)[0]))
    return found


def test_hospitals_fit_together_what_all_strata_have(tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS, 'arms.run=["federated","pooled"]')
    for name in SITES:
        followed(tmp_path / "data", name)
    run_arms(study, open_consortium(study, tmp_path / "data", tmp_path / "state"), tmp_path / "run", Hooks())
    records = {record.run.arm: record for record in load_records(tmp_path / "run")}
    assert records["federated"].failures == ()
    assert 4 <= len([one for one in records["federated"].rounds if one.stage == "cox"]) <= 15
    for arm, record in records.items():
        rows = [row for row in metric_rows(study, record) if (row.model, row.cohort) == ("fit", "external")]
        found = {(row.metric, row.site): row.estimate for row in rows}
        assert found["c_index", "south"] > 0.65, arm
    from safetensors.numpy import load_file

    (path,) = (tmp_path / "run" / "models").glob("*.federated.no-privacy.safetensors")
    fitted = load_file(path)["cox.fit"]
    parts = strata(study, tmp_path / "data", ("north", "west"))
    known = [p for p in range(parts[0].design.shape[1]) if parts[0].design[:, p].std() > 0 and p != 2]
    expected = cox_regression([Stratum(s.time, s.event, s.design[:, known]) for s in parts])
    assert expected is not None
    ours = fitted[known].copy()
    ours[1] -= fitted[2]  # "f" against "m": the other of two columns that add up to one
    np.testing.assert_allclose(ours, expected.coefficients, atol=0.01)
    assert (fitted[-3:] > 0).all()


def one_batch(study: Study, patients: int = 60) -> Batch:
    chance = torch.Generator().manual_seed(1)
    inputs = {name: torch.randn(patients, *own.shape, generator=chance) for name, own in study.modalities.items()}
    there = {name: torch.ones(patients, dtype=torch.bool) for name in study.modalities}
    time = 20 * torch.rand(patients, 1, generator=chance)
    return Batch(inputs, there, torch.cat([time, (torch.arange(patients)[:, None] % 2).float()], dim=1))


def test_scores_are_the_hazards_of_the_baseline_times_the_patients_own(tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS)
    rates = np.array([0.01, 0.02, 0.0])
    found = log_odds(np.concatenate([[0.5], rates]), np.array([[0.0], [2.0]]), (6.0, 12.0, 24.0))
    alive = np.cumprod(1 / (1 + np.exp(found)), axis=1)
    np.testing.assert_allclose(alive[0], np.exp([-0.06, -0.18, -0.18]), rtol=1e-5)
    np.testing.assert_allclose(alive[1], alive[0] ** np.e, rtol=1e-4)
    assert Hazards(study, study.cox["fit"]).scores(MultimodalModel(study), one_batch(study)) is None


def test_time_is_watched_in_each_interval_and_the_baseline_is_events_by_time() -> None:
    outcome = Survival(kind="survival", time="t", event="e", positive=("y",), negative=("n",), cuts=(6.0, 12.0),
                       predicted_at="")  # fmt: skip
    watched = exposure(outcome, np.array([3.0, 6.0, 20.0]))
    np.testing.assert_allclose(watched, [[3, 0, 0], [6, 0, 0], [6, 6, 8]])
    np.testing.assert_allclose(baseline(np.array([5.0, 0.0, 8.0]), np.array([50.0, 0.0, 40.0])), [0.1, 0.1, 0.2])


def test_no_small_count_of_events_is_told_and_few_patients_tell_nothing(tmp_path: Path) -> None:
    events, watched = gathered(np.array([2.0, 4.0, 9.0, 1.0]), np.array([10.0, 20.0, 30.0, 40.0]), 5)
    assert events.tolist() == [6.0, 0.0, 10.0, 0.0]
    assert watched.tolist() == [30.0, 0.0, 70.0, 0.0]
    study = small_study(tmp_path, *OURS)
    hazards, model, least = Hazards(study, study.cox["fit"]), MultimodalModel(study), {"patients": 20, "events": 10}
    for few, code in ((15, "patients"), (19, "events")):
        with pytest.raises(PrivacyRefusal, match=TOO_FEW.sentence):
            sums(hazards, model, one_batch(study, few), {**least, "cell": 5, code: 20 if code == "patients" else 10})
    told = sums(hazards, model, one_batch(study), {**least, "cell": 5})
    assert {what: values.shape for what, values in told.items()} == shapes(study, study.cox["fit"])


def test_sums_pass_only_as_asked_for_and_only_where_a_hospital_is_open_to_it(tmp_path: Path) -> None:
    study = small_study(tmp_path, *OURS)
    followed(tmp_path, "north")
    site = load_site(tmp_path / "north" / "site.toml")
    own = shapes(study, study.cox["fit"])
    arrays = {array("fit", what): np.full(shape, 6.0) for what, shape in own.items()}
    check_outgoing(Envelope(Summed(round=1), arrays), site, None, study, "federated")
    audit_named(Envelope(Summed(round=1), arrays), Summed, {name: v.shape for name, v in arrays.items()})
    small = {**arrays, array("fit", "events"): np.array([6.0, 3.0, 0.0, 6.0])}
    closed = site.model_copy(update={"limits": site.limits.model_copy(update={"allow_without_privacy": False})})
    for place, values, code in ((site, small, "small-cell"), (closed, arrays, "privacy-required"),
                                (site, {**arrays, "cox.other.gradient": np.zeros(3)}, "wrong-shape")):  # fmt: skip
        with pytest.raises(PrivacyRefusal) as refusal:
            check_outgoing(Envelope(Summed(round=1), values), place, None, study, "federated")
        assert refusal.value.code == code
    wrong = {**arrays, array("fit", "gradient"): np.full(inputs_of(study, study.cox["fit"]), np.nan)}
    for values in (wrong, {name: v for name, v in arrays.items() if not name.endswith("events")}):
        with pytest.raises(ReplyRejected):
            audit_named(Envelope(Summed(round=1), values), Summed, {name: v.shape for name, v in arrays.items()})


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ((TIMES, FIT, MAIN, "privacy.stages={encoders=0.5,fusion=0.5,threshold=0}"), "no clip bounds it"),
        ((FIT, 'privacy={mechanism="none"}'), "no time to an event"),
        ((*OURS, FIT.replace('"blood"', '"ct"')), '"ct" is not under'),
        ((*OURS, FIT.replace("{fit=", "{clinical=")), "name of another model"),
    ],
)
def test_what_cannot_be_fitted_is_refused(overrides: tuple[str, ...], rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=rule):
        small_study(tmp_path, *overrides)
