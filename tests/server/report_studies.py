"""Made-up studies with everything that a report can show, and with next to nothing, for the tests of the report."""

from functools import cache

from server.report.books import PrivacyRecord, Release, Round, Seal, Spent
from server.report.fields import MAIN
from server.report.participants import CohortRecord
from server.report.results import CrossSite, Meta, Metric, Oracle, Published, Reader, Results, SampleSize, Timing
from tests.server.report_pieces import (
    COHORTS,
    EVALUATED,
    HERE,
    MAIN_ARM,
    OUTSIDE,
    SIZES,
    TRAINERS,
    calibration_rows,
    characteristic_rows,
    comparison_rows,
    decision_rows,
    pattern_figures,
    pattern_rows,
    survival_rows,
)
from tests.server.report_samples import DROP, FEW, MODELS, PRIMARY, curve_rows, metric_rows, sample_results, truth


def extra_metrics() -> list[Metric]:
    """What a report shows beside the AUC: predictive values, calibration, concordance."""
    values = {"ppv": 0.81, "npv": 0.84, "accuracy": 0.82, "f1": 0.8, "brier_scaled": 0.41, "log_loss": 0.44,
              "calibration_slope": 0.92, "citl": -0.11, "oe_ratio": 0.95, "ici": 0.043}  # fmt: skip
    rows = []
    for (cohort, site), (n, events) in SIZES.items():
        if cohort == "train":
            continue
        for metric, value in values.items():
            bent = value - DROP[cohort] - (0.04 if site in ("west", "island") else 0)
            for model in MODELS if site is None else MODELS[-1:]:
                where = {**MAIN_ARM, "model": model, "cohort": cohort, "site": site, "n": n, "events": events}
                rows.append(Metric(**where, metric=metric, estimate=bent, low=bent - 0.09, high=bent + 0.08))
        weak = {"internal": (0.69, 0.61, 0.77), "external": (0.55, 0.47, 0.63)}[cohort]
        if site is None:
            ends = dict(zip(("estimate", "low", "high"), weak, strict=True))
            rows.append(Metric(**HERE, cohort=cohort, metric="c_index", n=n, events=events // 2, **ends))
    return rows


def meta_rows() -> tuple[Meta, ...]:
    common = {"model": PRIMARY, "arm": "federated", "private": True}
    summary = {"estimate": 0.853, "low": 0.771, "high": 0.909, "tau2": 0.021, "tau2_low": 0.0, "tau2_high": 0.61,
               "i2": 0.19, "prediction_low": 0.66, "prediction_high": 0.94,
               "prediction_note": "unreliable with 3 or 4 hospitals", "sites": TRAINERS, "weights": (0.4, 0.33, 0.27),
               "method": "REML, Hartung-Knapp, on the logit"}  # fmt: skip
    return (
        Meta(metric="auc", **common, cohort="internal", k=3, **summary),
        Meta(metric="auc", **common, cohort="external", k=2, estimate=None, reason="two hospitals: south, island"),
    )


def privacy_rows() -> PrivacyRecord:
    arms = ("federated", "pooled", *(f"alone:{site}" for site in TRAINERS))
    sites = tuple(
        Spent(site=site, arm=arm, epsilon=7.99, delta=1e-4, budget=8.0, releases=41)
        for arm in arms for site in TRAINERS if arm in ("federated", "pooled", f"alone:{site}")
    )  # fmt: skip
    return PrivacyRecord(mechanism="dp-sgd", sites=sites, composed=sample_results().privacy.composed)


READ = {"sensitivity": 0.78, "specificity": 0.83, "accuracy": 0.81, "kappa": 0.61, "kappa_model": 0.66}
READERS = (("radiologist 1", 0.0), ("radiologist 2", 0.05), ("nomogram", 0.11))
ASKED = {"c": ("95 % interval of the AUC 0.1 wide", 177, 0.1), "oe": ("95 % interval of O:E 0.2 wide", 385, 0.27),
         "slope": ("95 % interval of the slope 0.4 wide", 369, 0.61)}  # fmt: skip
STAGES = [(stage, number) for stage in ("encoders", "fusion") for number in range(1, 21)]


def cohort_counts() -> tuple[CohortRecord, ...]:
    left = {"outcome missing": 7, "no modality": None}
    rows = [
        CohortRecord(name=cohort, site=site, role=cohort, n=n, events=events,
                     excluded=left if cohort != "internal" else {})
        for (cohort, site), (n, events) in SIZES.items() if site
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row.site))


def reader_rows() -> tuple[Reader, ...]:
    return tuple(
        Reader(reader=reader, cohort="external", site=None, metric=metric, estimate=value - gap, low=value - gap - 0.08,
               high=value - gap + 0.07, n=214, events=98, p=0.031 if metric == "accuracy" else None)
        for reader, gap in READERS for metric, value in READ.items()
    )  # fmt: skip


def size_rows() -> tuple[SampleSize, ...]:
    return tuple(
        SampleSize(model=PRIMARY, cohort=cohort, criterion=criterion, target=target, required=required,
                   achieved_n=SIZES[cohort, None][0], achieved_width=width)
        for cohort in EVALUATED for criterion, (target, required, width) in ASKED.items()
    )  # fmt: skip


def cross_rows() -> tuple[CrossSite, ...]:
    origins = [("federated", "federated"), ("pooled", "pooled"), *(("alone", name) for name in TRAINERS)]
    return tuple(
        CrossSite(arm=arm, private=True, trained_at=home, site=site, metric="auc", estimate=value, low=value - 0.07,
                  high=value + 0.05, n=SIZES[cohort, site][0])
        for place, (arm, home) in enumerate(origins) for (cohort, site) in SIZES if site and cohort != "train"
        for value in (0.9 - 0.03 * place - 0.01 * len(site),)
    )  # fmt: skip


def conduct() -> dict[str, object]:
    """Seals, releases and rounds."""
    sealed = {"models": "9c41f2aa7b30" * 5, "thresholds": "77aa01bc" * 8}
    told = {"arm": "federated", "private": True}
    rounds = tuple(
        Round(**told, stage=stage, round=number, answered=TRAINERS,
              seconds=0.31 + 0.04 * (number % 5) + 0.1 * (stage == "fusion"))
        for stage, number in STAGES
    )  # fmt: skip
    releases = tuple(
        Release(arm="federated", site=site, stage=stage, round=number, releases=1, epsilon=7.99 * (place / 40) ** 0.5)
        for site in TRAINERS
        for place, (stage, number) in enumerate(STAGES, start=1)
    )
    return {
        "seals": tuple(Seal(**told, site=site, **sealed) for site in OUTSIDE),
        "releases": releases,
        "timing": Timing(
            seconds_total=184.2,
            phases={"federated": 61.25},
            rounds=rounds,
            frozen={sealed["models"]: "2026-11-20T10:31:07Z"},
        ),
    }


def published_rows() -> tuple[Published, ...]:
    flag = "no whole-number table of 51 patients with 15 events gives these figures"
    sensitivity = Published(metric="sensitivity", cohort="external", estimate=0.871, low=None, high=None, flag=flag)
    return (Published(metric="auc", cohort="external", estimate=0.888, low=0.826, high=0.944), sensitivity)


@cache
def full_study() -> Results:
    """Seven models, three cohorts, five hospitals, survival, readers: every part of the page."""
    best = tuple(Oracle(model=model, cohort=name, metric="auc", estimate=truth(model))
                 for model in MODELS for name in EVALUATED)  # fmt: skip
    changes = {
        "study": sample_results().study.model_copy(update={"decision_range": (0.1, 0.5)}),
        "metrics": (*metric_rows(MAIN, SIZES), *extra_metrics()), "cohorts": cohort_counts(),
        "characteristics": characteristic_rows(), "patterns": pattern_rows(), "pattern_figures": pattern_figures(),
        "comparisons": comparison_rows(), "meta": meta_rows(), "curves": curve_rows(MAIN, COHORTS),
        "calibration": calibration_rows(), "decisions": decision_rows(), "survival": survival_rows(),
        "privacy": privacy_rows(), "readers": reader_rows(), "sample_size": size_rows(), "published": published_rows(),
        "cross_site": cross_rows(), "oracle": best, **conduct(),
    }  # fmt: skip
    return sample_results().model_copy(update=changes)


def without(*names: str) -> Results:
    """The full study without some of its lists."""
    return full_study().model_copy(update=dict.fromkeys(names, ()))


def no_external() -> Results:
    """Nobody outside: train and internal only, and nothing but figures."""
    full = full_study()
    kept = {
        name: tuple(row for row in getattr(full, name) if row.cohort != "external")
        for name in ("metrics", "curves", "calibration", "decisions", "oracle", "comparisons")
    }
    cohorts = tuple(row for row in full.cohorts if row.name != "external")
    return without("meta", "cross_site", "survival", "readers", "published", "seals").model_copy(
        update={**kept, "cohorts": cohorts}
    )


def one_hospital() -> Results:
    """A single hospital that trains and evaluates; nothing to compare or to summarize."""
    full = no_external()
    metrics = tuple(row for row in full.metrics if row.site in (None, "north") and not row.arm.startswith("alone"))
    lists = ("comparisons", "releases", "patterns", "characteristics", "sample_size", "pattern_figures")
    changes = dict.fromkeys(lists, ())
    cohorts = tuple(row for row in full.cohorts if row.site == "north")
    return full.model_copy(update={**changes, "metrics": metrics, "cohorts": cohorts})


def all_null() -> Results:
    """Every figure is undefined, with its reason."""
    gone = {"estimate": None, "low": None, "high": None, "n": None, "events": None, "reason": FEW}
    metrics = tuple(row.model_copy(update=gone) for row in full_study().metrics)
    crossed = tuple(row.model_copy(update={**gone, "events": None}) for row in full_study().cross_site)
    cohorts = tuple(row.model_copy(update={"n": None, "events": None, "reason": FEW}) for row in full_study().cohorts)
    empty = without("curves", "calibration", "decisions", "survival", "meta", "readers", "comparisons", "oracle")
    return empty.model_copy(update={"metrics": metrics, "cross_site": crossed, "cohorts": cohorts})
