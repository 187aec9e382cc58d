"""Made-up but lifelike results of a run, for the tests of the report."""

from itertools import combinations
from statistics import NormalDist

from server.report.books import Composed, PrivacyRecord, Spent
from server.report.curves import Curve
from server.report.fields import MAIN, CohortName
from server.report.participants import CohortRecord
from server.report.results import Comparison, CrossSite, Meta, Metric, Oracle, Published, Results, StudyRecord, Timing

NORMAL = NormalDist()
MODALITIES = ("clinical", "ct", "laryngoscopy")
MODELS = tuple("+".join(subset) for size in (1, 2, 3) for subset in combinations(MODALITIES, size))
PRIMARY = MODELS[-1]
TITLE = "Early against advanced laryngeal carcinoma, three modalities"
HOSPITALS = ("north", "west", "south")
FEW = "too few to report"
SIZES: dict[tuple[CohortName, str | None], tuple[int, int]] = {
    ("train", None): (235, 118), ("train", "north"): (119, 60), ("train", "west"): (116, 58),
    ("internal", None): (101, 51), ("internal", "north"): (51, 26), ("internal", "west"): (50, 25),
    ("external", None): (114, 60), ("external", "south"): (114, 60),
}  # fmt: skip
ARMS = {  # what each arm loses against the truth
    ("pooled", False): 0.01, ("federated", False): 0.02, ("federated", True): 0.06,
    ("alone:north", True): 0.12, ("alone:west", True): 0.15,
}  # fmt: skip
DROP: dict[CohortName, float] = {"train": 0.0, "internal": 0.02, "external": 0.035}


def truth(model: str) -> float:
    """The AUC that the invented truth reaches."""
    separation = {"clinical": 0.9, "ct": 1.3, "laryngoscopy": 1.35}
    return NORMAL.cdf(sum(separation[name] ** 2 for name in model.split("+")) ** 0.5 / 2**0.5)


def metric_rows(fold: str, sizes: dict[tuple[CohortName, str | None], tuple[int, int]]) -> list[Metric]:
    """AUC, Brier, sensitivity and specificity of every model, arm, cohort and hospital."""
    rows = []
    for (arm, private), loss in ARMS.items():
        for model in MODELS:
            auc = truth(model) - loss
            common = {"model": model, "arm": arm, "private": private, "fold": fold}
            for (cohort, site), (n, events) in sizes.items():
                where = {**common, "cohort": cohort, "site": site, "n": n, "events": events}
                width, here = 0.9 / n**0.5, auc - DROP[cohort] - (0.013 if site == "west" else 0)
                for metric, value in {"auc": here, "brier": 0.45 - 0.3 * here, "sensitivity": here - 0.04,
                                      "specificity": here - 0.06}.items():  # fmt: skip
                    ends = {"low": value - width, "high": min(value + 0.8 * width, 0.999)}
                    rows.append(Metric(**where, metric=metric, estimate=value, **ends, method="logit DeLong"))
            cut = {"cohort": "train", "site": None, "n": None, "events": None, "metric": "threshold"}
            rows.append(Metric(**common, **cut, estimate=0.47 + 0.1 * loss, method="youden"))
    return rows


def curve_rows(fold: str, cohorts: tuple[CohortName, ...]) -> tuple[Curve, ...]:
    """Binormal ROC curves in 38 bins."""
    x = tuple(step / 38 for step in range(39))
    rows = []
    for cohort in cohorts:
        for model in MODELS:
            shift = NORMAL.inv_cdf(truth(model) - ARMS["federated", True] - DROP[cohort]) * 2**0.5
            y = (0.0, *(NORMAL.cdf(NORMAL.inv_cdf(fpr) + shift) for fpr in x[1:-1]), 1.0)
            where = {"model": model, "arm": "federated", "private": True, "fold": fold, "cohort": cohort}
            rows.append(Curve(kind="roc", **where, site=None, x=x, y=y, bins=38))
    return tuple(rows)


def cross_rows() -> tuple[CrossSite, ...]:
    """The primary model of each arm at each hospital; west is too small for the pooled arm."""
    rows = []
    for (arm, private), loss in ARMS.items():
        kind, _, home = arm.partition(":")
        for site in HOSPITALS:
            estimate = truth(PRIMARY) - loss + (0.01 if site == home else 0)
            where = {"arm": kind, "private": private, "trained_at": home or kind, "site": site, "metric": "auc"}
            if (kind, site) == ("pooled", "west"):
                rows.append(CrossSite(**where, estimate=None, n=None, reason=FEW))
            else:
                rows.append(CrossSite(**where, estimate=estimate, low=estimate - 0.09, high=estimate + 0.05, n=51))
    return tuple(rows)


def cohort_rows() -> tuple[CohortRecord, ...]:
    """Five cohorts, and a fourth hospital that is too small."""
    excluded = {"outcome missing": 3, "outcome not among the study's words": None, "listed twice": 1}
    rows = [
        CohortRecord(name=name, site=site, role="trains" if name != "external" else "evaluates", n=n, events=events,
                     excluded=excluded if name == "train" else {})
        for (name, site), (n, events) in SIZES.items() if site
    ]  # fmt: skip
    small = CohortRecord(name="external", site="island", role="evaluates", n=None, events=None, reason=FEW)
    return (*rows, small)


def privacy_record(folds: tuple[str, ...]) -> PrivacyRecord:
    """Three private runs a fold; the federated one without privacy protects nobody."""
    runs = [("federated", "north"), ("federated", "west"), ("alone:north", "north"), ("alone:west", "west")]
    spent = [
        Spent(site=site, arm=arm, fold=fold, epsilon=8.0, delta=1e-4, budget=8.0, releases=41)
        for fold in folds
        for arm, site in runs
    ]
    composed = [Composed(site=site, epsilon=12.345678901234567, delta=2e-4, runs=2) for site in ("north", "west")]
    return PrivacyRecord(mechanism="dp-sgd", sites=tuple(spent), composed=tuple(composed))


def sample_results(title: str = TITLE, mechanism: str = "dp-sgd") -> Results:
    """A site-holdout run of the larynx study; with mechanism "none" only its arms without privacy."""
    rows = metric_rows(MAIN, SIZES)
    undefined = {"metric": "auc", "estimate": None, "low": None, "high": None, "reason": "one class only"}
    rows = [
        row.model_copy(update=undefined)
        if (row.model, row.arm, row.metric, row.cohort, row.private) == ("ct", "pooled", "auc", "external", False)
        else row
        for row in rows
    ]
    private = mechanism != "none"
    kept = tuple(row for row in rows if private or not row.private)
    published = (("internal", 0.902, 0.833, 0.954), ("external", 0.888, 0.826, 0.944))
    return Results(
        study=StudyRecord(name="lscc-staging", title=title, digest="3f1c9a" * 10 + "beef", primary=PRIMARY,
                          outcome="stage III or IV against I or II, predicted before surgery"),
        engine="in-process", seed=7,
        privacy=privacy_record((MAIN,)) if private else PrivacyRecord(mechanism="none"),
        cohorts=cohort_rows(), metrics=kept,
        comparisons=(Comparison(cohort="external", model_a=PRIMARY, arm_a="federated", private_a=private,
                                model_b="clinical", arm_b="federated", private_b=private, metric="auc",
                                difference=0.101, low=-0.012, high=0.214, p=0.00004, p_adjusted=0.00024),),
        cross_site=tuple(row for row in cross_rows() if private or not row.private),
        oracle=tuple(Oracle(model=model, cohort=name, metric="auc", estimate=truth(model))
                     for model in MODELS for name in ("internal", "external")),
        published=tuple(Published(metric="auc", cohort=name, estimate=estimate, low=low, high=high)
                        for name, estimate, low, high in published),
        curves=curve_rows(MAIN, ("train", "internal", "external")) if private else (),
        warnings=("δ = 1e-4 is above 1 / (10 × 114), ten times the smallest declared hospital.",),
        timing=Timing(seconds_total=184.2, phases={"federated": 61.25, "pooled": 40.0, "report": 2.0}),
        environment={"medley": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "flwr": "1.41.0"},
    )  # fmt: skip


def leave_one_out(folds: tuple[str, ...] = ("cleveland", "hungary", "switzerland", "va")) -> Results:
    """A leave-one-site-out run in which one hospital is too small for any figure."""
    rows: list[Metric] = []
    for place, fold in enumerate(folds):
        n = 303 - 60 * place
        for row in metric_rows(fold, {("external", fold): (n, n // 2)}):
            small = row.metric != "threshold" and fold == "switzerland"
            gone = {"estimate": None, "low": None, "high": None, "n": None, "events": None, "reason": FEW}
            rows.append(row.model_copy(update=gone) if small else row)
    base = sample_results()
    cohorts = tuple(
        CohortRecord(name="external" if site == fold else "train", site=site, fold=fold, role="trains and evaluates",
                     n=None if site == "switzerland" else 200, events=None if site == "switzerland" else 90,
                     reason=FEW if site == "switzerland" else None)
        for fold in folds for site in folds
    )  # fmt: skip
    changes = {
        "metrics": tuple(rows),
        "cohorts": cohorts,
        "privacy": privacy_record(folds),
        "curves": tuple(curve for fold in folds if fold != "switzerland" for curve in curve_rows(fold, ("external",))),
        "meta": (Meta(metric="auc", model=PRIMARY, arm="federated", private=True, cohort="external", k=3, estimate=0.84,
                      low=0.71, high=0.92, tau2=0.031, i2=0.22, prediction_low=0.6, prediction_high=0.95),),
        "oracle": (), "published": (), "comparisons": (),
    }  # fmt: skip
    return base.model_copy(update=changes)
