"""A published formula beside the models: the same figures as by hand, in every arm, with its decisions compared."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from client.archive import Archive
from client.decisions import with_joint
from client.evaluation import Ward, model_figures
from client.gatekeeper import check_outgoing
from client.risks import with_risks
from server.record import load_records
from server.report.results import Results
from server.validation.assemble import assemble
from shared.cohorts import folds
from shared.errors import PrivacyRefusal, StudyError
from shared.tensors import weights_digest
from shared.wire import Envelope, Evaluated
from simulations.arms import Consortium, Hooks, open_consortium, run_arms
from tests.small import SITES, hospital, small_study

FORMULA = (
    "nomograms={published={intercept=-4.0,threshold=0.5,numeric={age={per=0.05,fill=60.0},crp={per=0.01,fill=80.0}},"
    'categorical={sex={points={f=0.0,m=0.4},fill="f"}}}}'
)
MODEL = "clinical+blood"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Consortium, Path]:
    folder = tmp_path_factory.mktemp("nomograms")
    study = small_study(folder, FORMULA, 'privacy={mechanism="none"}', 'arms.run=["federated","alone","pooled"]')
    for name in SITES:
        hospital(folder / "data", name, open_to_all=True, patients=200)
    consortium = open_consortium(study, folder / "data", folder / "state")
    run_arms(study, consortium, folder / "run", Hooks(), twins=False)
    return assemble(study, load_records(folder / "run"), "in-process", {}, 1.0), consortium, folder


def by_hand(archive: Archive, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Truth and log odds of everybody, from the table's cells; one outside its range is missing."""

    def value(text: str, high: float, fill: float) -> float:
        return float(text) if text and 0 <= float(text) <= high else fill

    study = small_study(folder, FORMULA)
    rows = [unit.row for unit in archive.cohort(study).units]
    odds = [
        -4 + 0.05 * value(row["age"], 100, 60) + 0.01 * value(row["crp"], 200, 80) + 0.4 * (row["sex"] == "m")
        for row in rows
    ]
    return np.array([row["ill"] == "yes" for row in rows]), np.array(odds)


def test_it_is_the_formula_at_every_hospital_and_in_every_arm(done: tuple[Results, Consortium, Path]) -> None:
    results, consortium, folder = done
    truth, odds = by_hand(consortium.archives["south"], folder)
    rows = {
        (row.arm, row.metric): row
        for row in results.metrics
        if (row.model, row.cohort, row.site) == ("published", "external", "south")
    }
    assert {arm for arm, metric in rows if metric == "auc"} == {"federated", "alone:north", "alone:west", "pooled"}
    for (_, metric), row in rows.items():
        if metric == "auc":
            assert row.estimate == pytest.approx(roc_auc_score(truth, odds), abs=1e-9)
    right = rows["federated", "sensitivity"].estimate
    assert right == pytest.approx(float((odds[truth] >= 0).mean()), abs=1e-9)
    assert results.study.fixed == ("published",)
    compared = [
        r
        for r in results.comparisons
        if (r.model_b, r.kind, r.cohort, r.metric) == ("published", "models", "external", "auc")
    ]
    assert any(row.site is None and row.arm_a == "federated" and row.p_adjusted is not None for row in compared)


def test_kappa_and_mcnemar_are_of_the_same_patients(done: tuple[Results, Consortium, Path]) -> None:
    results, consortium, folder = done
    truth, odds = by_hand(consortium.archives["south"], folder)
    rows = {row.metric: row for row in results.readers if (row.reader, row.cohort) == ("published", "external")}
    assert rows["accuracy"].estimate == pytest.approx(float(((odds >= 0) == truth).mean()), abs=1e-9)
    assert rows["kappa"].estimate == pytest.approx(cohen_kappa_score(odds >= 0, truth), abs=1e-9)
    assert rows["accuracy"].n == 200
    assert rows["accuracy"].p is not None
    assert rows["kappa_model"].estimate is not None
    assert -1 <= rows["kappa_model"].estimate < 1


def test_a_small_cell_of_two_decisions_does_not_leave(tmp_path: Path) -> None:
    study, site = small_study(tmp_path, FORMULA), hospital(tmp_path)
    archive, fold = Archive(site), folds(small_study(tmp_path, FORMULA))[0]
    assert set(archive.roles(study, fold)) == {"train", "internal"}
    event, rng = np.array([[1.0]] * 30 + [[0.0]] * 30), np.random.default_rng(1)
    ward = Ward(study.outcome, "external", event, np.arange(60), site.limits)
    first = np.where(event == 1, 1.0, -1.0) + 0.3 * rng.normal(size=(60, 1))
    second = first.copy()
    second[:3] = -1.0  # three that only the primary calls positive
    told = {}
    for changed in (3, 8):
        second = first.copy()
        second[:changed] = -1.0
        scores = {MODEL: first, "published": second}
        cuts: dict[str, float | None] = {MODEL: 0.0, "published": 0.0}
        figures = [own for name, values in scores.items() for own in model_figures(name, ward, values, 0.0)]
        told[changed] = with_joint(with_risks(figures, ward, scores, MODEL), ward, scores, cuts, study)
    assert all(own.risk and own.risk.joint is None for own in told[3])
    joint = next(own.risk.joint for own in told[8] if own.model == "published" and own.risk)
    assert joint
    assert joint.events == (22, 8, 0, 0)
    digest = weights_digest({})
    check_outgoing(Envelope(Evaluated(models=digest, figures=tuple(told[8]))), site, None, study)
    hidden = {"joint": joint.model_copy(update={"events": (27, 3, 0, 0)})}
    small = [own.model_copy(update={"risk": own.risk.model_copy(update=hidden)}) for own in told[8] if own.risk]
    with pytest.raises(PrivacyRefusal, match="small-cell"):
        check_outgoing(Envelope(Evaluated(models=digest, figures=tuple(small))), site, None, study)


@pytest.mark.parametrize(
    ("name", "terms", "rule"),
    [
        ("a", "", "needs a term"),
        ("a", ",numeric={weight={per=1.0,fill=0.0}}", 'reads "weight"'),
        ("clinical", ",numeric={age={per=1.0,fill=0.0}}", "another model"),
        ("a", ',categorical={sex={points={f=0.0,x=1.0},fill="f"}}', "words are f, m"),
        ("a", ',categorical={sex={points={f=0.0,m=1.0},fill="x"}}', "fill must be"),
    ],
)
def test_what_a_nomogram_refuses(name: str, terms: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        small_study(tmp_path, f"nomograms={{{name}={{intercept=0.0,threshold=0.5{terms}}}}}")
    assert rule in str(caught.value)
