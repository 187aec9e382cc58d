"""Whether cohorts are large enough, and whether a paper's printed figures can all be true."""

import math
from collections.abc import Iterator, Mapping

from server.record import RunRecord
from server.report.results import Published, SampleSize
from server.report.wording import WEAK_CONCORDANCE
from server.validation.consistency import MEASURES, Printed, tables_of
from server.validation.main_measure import main_measure
from server.validation.risks import over_hospitals
from server.validation.rows import by_cohort
from server.validation.summary import Estimate, answered, within_hospital_auc
from shared.cohorts import ROLES
from shared.metrics.sample_size import log_odds_of, patients_for_auc, patients_for_ratio, patients_for_slope
from shared.published import published_place
from shared.study import Study

WEAK = "weak: hardly tells who has the event earlier, whatever its p"
WANTED = {  # full width of a 95 % interval
    "c": (0.1, "95 % interval of the AUC 0.1 wide"),
    "oe": (0.2, "95 % interval of O:E 0.2 wide"),
    "slope": (0.2, "95 % interval of the calibration slope 0.2 wide"),
}


def sample_size_rows(study: Study, record: RunRecord) -> Iterator[SampleSize]:
    """What Riley's criteria ask at the AUC and prevalence that the primary model was seen to have, if it has an AUC."""
    for role in ROLES[1:] if main_measure(study.outcome) == "auc" else ():
        figures = [own for _, own in by_cohort(record, study.primary, role)]
        if not figures:
            continue
        auc, risks = within_hospital_auc(figures), over_hospitals(figures)
        known = [own for own in figures if own.n and own.events and answered(own)]
        n, events = sum(own.n or 0 for own in known), sum(own.events or 0 for own in known)
        usable = auc.value is not None and 0.5 < auc.value < 1 and 0 < events < n
        required = _required(auc.value or 0.0, events / n) if usable else {}
        found = {"c": auc, "oe": risks["oe_ratio"], "slope": risks["calibration_slope"]}
        for criterion, (_, target) in WANTED.items():
            yield SampleSize(
                model=study.primary,
                fold=record.run.fold,
                cohort=role,
                criterion=criterion,  # type: ignore[arg-type]
                target=target,
                required=required.get(criterion),
                achieved_n=n or None,
                achieved_width=_width(found[criterion]),
                reason=None if usable else "needs an AUC above one half and below one",
            )


def _required(auc: float, prevalence: float) -> Mapping[str, int]:
    return {
        "c": patients_for_auc(auc, prevalence, WANTED["c"][0]),
        "oe": patients_for_ratio(prevalence, WANTED["oe"][0]),
        "slope": patients_for_slope(*log_odds_of(auc, prevalence), WANTED["slope"][0]),
    }


def _width(estimate: Estimate) -> float | None:
    if estimate.low is None or estimate.high is None or not math.isfinite(estimate.high - estimate.low):
        return None
    return estimate.high - estimate.low


def published_rows(study: Study) -> Iterator[Published]:
    """A paper's figures, with a flag where no table of whole patients gives a cohort's, or where one is weak."""
    flags = {cohort: _flag(study, cohort) for cohort in study.evaluation.published_patients}
    for name, (estimate, low, high) in study.evaluation.published.items():
        metric, cohort, model = published_place(name)
        impossible = flags.get(cohort) if metric in MEASURES and not model else None
        weak = WEAK if metric == "c_index" and estimate < WEAK_CONCORDANCE else ""
        told = {"checked": impossible is not None, "flag": impossible or weak}
        figure = {"metric": metric, "cohort": cohort, "model": model or None, **told}
        yield Published.model_validate({**figure, "estimate": estimate, "low": low, "high": high})


def _flag(study: Study, cohort: str) -> str | None:
    """What contradicts itself in a cohort's printed figures; empty where nothing does, None where nobody looked."""
    patients, events = study.evaluation.published_patients[cohort]
    printed = {
        metric: Printed.of(values[0])
        for name, values in study.evaluation.published.items()
        for metric, where, model in [published_place(name)]
        if where == cohort and metric in MEASURES and not model
    }
    tables = tables_of(patients, printed, range(events, events + 1)) if printed else None
    if tables is None:
        return None
    return "" if tables else f"no table of {patients} patients, {events} with the event, gives these figures"
