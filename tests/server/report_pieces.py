"""Made-up curves, tables and comparisons of a rich study, for the tests of the report."""

from math import exp, log

from server.report.curves import Calibration, Decision, RiskGroup, Survival
from server.report.fields import CohortName
from server.report.participants import Characteristic, Pattern
from server.report.results import (
    Comparison,
    PatternFigure,
)
from tests.server.report_samples import (
    DROP,
    FEW,
    MODELS,
    PRIMARY,
    truth,
)

TRAINERS, OUTSIDE = ("north", "west", "east"), ("south", "island")
SIZES: dict[tuple[CohortName, str | None], tuple[int, int]] = {
    ("train", None): (420, 203), ("train", "north"): (160, 77), ("train", "west"): (140, 69),
    ("train", "east"): (120, 57), ("internal", None): (180, 88), ("internal", "north"): (69, 34),
    ("internal", "west"): (60, 30), ("internal", "east"): (51, 24), ("external", None): (214, 98),
    ("external", "south"): (114, 52),
    ("external", "island"): (100, 46),
}  # fmt: skip
COHORTS: tuple[CohortName, ...] = ("train", "internal", "external")
EVALUATED: tuple[CohortName, ...] = ("internal", "external")
MAIN_ARM = {"model": PRIMARY, "arm": "federated", "private": True}
HERE = {**MAIN_ARM, "site": None}


def expit(logit: float) -> float:
    return 1 / (1 + exp(-logit))


def calibration_rows() -> tuple[Calibration, ...]:
    predicted = tuple(0.02 + 0.032 * step for step in range(31))
    rows = []
    for cohort in EVALUATED:
        n, events = SIZES[cohort, None]
        slope = 0.92 if cohort == "internal" else 0.74
        observed = tuple(expit(slope * log(p / (1 - p)) + 0.15) for p in predicted)
        low = tuple(max(p - 0.06 - 0.08 * abs(p - 0.5), 0.0) for p in observed)
        high = tuple(min(p + 0.06 + 0.08 * abs(p - 0.5), 1.0) for p in observed)
        edges = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
        shares = (0.02, 0.03, 0.05, 0.05, 0.07, 0.09, 0.1, 0.12, 0.15, 0.17, 0.15)
        own = tuple(round(events * share) for share in shares)
        others = (*(round((n - events) * share) for share in shares[::-1][:-1]), None)
        common = {"n": n, "cases": events, "method": "restricted cubic spline"}
        rows.append(
            Calibration(**HERE, cohort=cohort, predicted=predicted, observed=observed, low=low, high=high, edges=edges,
                        events=own, others=others, **common)
        )  # fmt: skip
    return tuple(rows)


def decision_rows() -> tuple[Decision, ...]:
    thresholds = tuple(0.01 * step for step in range(1, 71))
    rows = []
    for cohort in EVALUATED:
        n, events = SIZES[cohort, None]
        share = events / n
        treat_all = tuple(share - (1 - share) * t / (1 - t) for t in thresholds)
        for model in MODELS:
            loss = 1 - truth(model) + DROP[cohort]
            gain = tuple(share * (1 - 0.5 * loss) - (0.1 + loss) * (1 - share) * t / (1 - t) * 0.9 for t in thresholds)
            band = (
                {"low": tuple(g - 0.05 for g in gain), "high": tuple(g + 0.05 for g in gain)}
                if model == PRIMARY
                else {}
            )
            where = {**HERE, "model": model, "cohort": cohort, "n": n, "events": events}
            rows.append(Decision(**where, threshold=thresholds, benefit=gain, treat_all=treat_all, **band,
                                 method="from tallies"))  # fmt: skip
    return tuple(rows)


def survival_rows() -> tuple[Survival, ...]:
    time = tuple(float(3 * step) for step in range(21))
    rows = []
    for cohort in EVALUATED:
        n, events = SIZES[cohort, None]
        groups = []
        for name, rate in (("low risk", 0.007), ("high risk", 0.021)):
            curve = tuple(exp(-rate * t) for t in time)
            low, high = tuple(max(s - 0.002 * t, 0.0) for s, t in zip(curve, time, strict=True)), tuple(
                min(s + 0.0015 * t, 1.0) for s, t in zip(curve, time, strict=True))  # fmt: skip
            risk = tuple(left if (left := round(n / 2 * s * (1 - t / 90))) >= 5 else None
                         for s, t in zip(curve, time, strict=True))  # fmt: skip
            deaths = tuple(round(n / 2 * (1 - s)) for s in curve)
            groups.append(
                RiskGroup(name=name, survival=curve, low=low, high=high, at_risk=risk, events=deaths, n=n // 2)
            )
        rows.append(
            Survival(**HERE, cohort=cohort, endpoint="overall survival", unit="months", time=time, groups=tuple(groups),
                     chi2=9.1, df=1, p=0.0026, hazard_ratio=2.41, low=1.33, high=4.36, n=n, events=events // 2,
                     method="Log-rank test and Cox model stratified by hospital; grid of 3 months")
        )  # fmt: skip
    return tuple(rows)


def characteristic_rows() -> tuple[Characteristic, ...]:
    rows = []
    for (cohort, site), (n, _) in SIZES.items():
        where = {"cohort": cohort, "site": site}
        away = {"train": 0.0, "internal": 0.04, "external": 0.21}[cohort]
        rows += [
            Characteristic(**where, variable="age", unit="years", form="mean", estimate=62.4 + 3 * away, spread=9.8,
                           smd=away, missing=0),
            Characteristic(**where, variable="tumor volume", unit="ml", form="median", estimate=4.2, low=2.1, high=7.9,
                           smd=away / 2, missing=n // 20),
            Characteristic(**where, variable="sex", level="male", form="count", estimate=round(0.87 * n), share=0.87,
                           smd=away / 3),
            Characteristic(**where, variable="sex", level="female", form="count", estimate=round(0.13 * n), share=0.13),
        ]  # fmt: skip
        small = site is not None
        rows += [
            Characteristic(**where, variable="subsite", level="subglottic", form="count",
                           estimate=None if small else 9, share=None if small else 0.02, reason=FEW if small else None)
        ]  # fmt: skip
    return tuple(rows)


def pattern_rows() -> tuple[Pattern, ...]:
    shares = {PRIMARY: 0.8, "clinical+ct": 0.12, "clinical": 0.05, None: 0.0}
    return tuple(
        Pattern(cohort=cohort, site=site, present=present, n=count if (count := round(n * share)) >= 5 else None,
                reason=None if count >= 5 else FEW)
        for (cohort, site), (n, _) in SIZES.items() for present, share in shares.items()
    )  # fmt: skip


def pattern_figures() -> tuple[PatternFigure, ...]:
    rows = []
    for cohort in EVALUATED:
        n, events = SIZES[cohort, None]
        for removed in (False, True):
            for model in MODELS[::2]:
                value = truth(model) - 0.08
                known = {"estimate": value, "low": value - 0.05, "high": value + 0.03, "n": n, "events": events}
                told = (
                    known
                    if removed or model == PRIMARY
                    else {"estimate": None, "n": None, "events": None, "reason": FEW}
                )
                rows.append(PatternFigure(**HERE, cohort=cohort, present=model, removed=removed, metric="auc", **told))
    return tuple(rows)


def comparison_rows() -> tuple[Comparison, ...]:
    rows = []
    for cohort in EVALUATED:
        n, events = SIZES[cohort, None]
        common = {"cohort": cohort, "metric": "auc", "n": n, "events": events, "model_a": PRIMARY, "arm_a": "federated",
                  "private_a": True, "private_b": True}  # fmt: skip
        for place, model in enumerate(MODELS[:-1]):
            gap = truth(PRIMARY) - truth(model)
            ends = {"difference": gap, "low": gap - 0.06, "high": gap + 0.05, "p": 10 ** -(1 + 20 * gap),
                    "p_adjusted": min(1.0, 6 * 10 ** -(1 + 20 * gap))}  # fmt: skip
            gone = {"difference": None, "reason": "different patients"} if (cohort, place) == ("external", 0) else ends
            rows.append(
                Comparison(**common, kind="models", model_b=model, arm_b="federated", **gone, method="paired DeLong")
            )
        pooled = {"kind": "pooled", "model_b": PRIMARY, "arm_b": "pooled", "margin": 0.05}
        rows.append(Comparison(**common, **pooled, difference=-0.012, low=-0.031, high=0.007, non_inferior=True))
        for site in TRAINERS if cohort == "internal" else ():
            sized = {**common, "n": SIZES[cohort, site][0], "events": SIZES[cohort, site][1], "site": site}
            rows.append(Comparison(**sized, kind="alone", model_b=PRIMARY, arm_b=f"alone:{site}", difference=0.061,
                                   low=0.008, high=0.114, p=0.024))  # fmt: skip
    return tuple(rows)
