"""All of ``results.json`` from the study and the records of its runs."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Mapping, Sequence

from server.record import RunRecord
from server.report.books import Composed, PrivacyRecord, Spent
from server.report.results import Oracle, Results, StudyRecord, Timing
from server.validation.adequacy import published_rows, sample_size_rows
from server.validation.comparisons import arm_comparisons, model_comparisons
from server.validation.conduct import release_rows, round_rows, seal_rows
from server.validation.curves import calibration_rows, decision_rows, roc_rows
from server.validation.heterogeneity import meta_rows
from server.validation.main_measure import main_measure
from server.validation.rows import cohort_rows, cross_site_rows, metric_rows
from shared import VERSION
from shared.cohorts import fold_named
from shared.learnability import learnability_warnings
from shared.privacy.accounting import composed_epsilon
from shared.privacy.mechanism import plan_privacy
from shared.study import DpSgd, Study
from shared.study_rules import warnings


def assemble(
    study: Study, records: Sequence[RunRecord], engine: str, oracle: Mapping[str, float], seconds: float
) -> Results:
    """Results of a study; ``oracle`` has the best possible figure by model where the patients were invented."""
    own = [record for record in records if record.private == study.private]  # not a simulation's twin
    one_a_fold = {record.run.fold: record for record in reversed(own)}.values()
    return Results(
        study=StudyRecord(
            name=study.name,
            title=study.title,
            digest=study.digest,
            primary=study.primary,
            outcome=_outcome_phrase(study),
            overrides=study.overrides,
            measure=main_measure(study.outcome),
            inferred=study.source.inferred,
            decision_range=study.evaluation.decision_range,
        ),
        engine=engine,
        seed=study.seed,
        privacy=_privacy(study, records),
        cohorts=tuple(row for record in one_a_fold for row in cohort_rows(record)),
        metrics=tuple(row for record in records for row in metric_rows(study, record)),
        comparisons=(
            *(row for record in records for row in model_comparisons(study, record)),
            *arm_comparisons(study, records),
        ),
        meta=tuple(meta_rows(study, records)),
        sample_size=tuple(row for r in own if r.run.arm == "federated" for row in sample_size_rows(study, r)),
        cross_site=tuple(cross_site_rows(study, records)),
        oracle=tuple(_oracle_rows(study, records, oracle)),
        published=tuple(published_rows(study)),
        curves=tuple(row for record in records for row in roc_rows(study, record)),
        calibration=tuple(row for record in records for row in calibration_rows(study, record)),
        decisions=tuple(row for record in records for row in decision_rows(study, record)),
        releases=tuple(row for record in records for row in release_rows(record)),
        seals=tuple(row for record in records for row in seal_rows(record)),
        warnings=(*warnings(study), *learnability_warnings(study), *_run_warnings(records)),
        timing=Timing(
            seconds_total=seconds,
            phases={r.run.name + _kind(r): r.seconds for r in records},
            rounds=tuple(row for record in records for row in round_rows(record)),
        ),
        environment={
            "medley": VERSION,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "flwr", "opacus", "numpy")},
        },
    )


def _outcome_phrase(study: Study) -> str:
    return f"{study.outcome.phrase}, predicted {study.outcome.predicted_at}"


def _kind(record: RunRecord) -> str:
    return " (private)" if record.private else " (no privacy)"


def _privacy(study: Study, records: Sequence[RunRecord]) -> PrivacyRecord:
    if not isinstance(study.privacy, DpSgd):
        return PrivacyRecord(mechanism="none")
    privacy, plan = study.privacy, plan_privacy(study)
    assert plan is not None
    rows: list[Spent] = []
    for record in records:
        for site, (epsilon, releases) in record.spent().items():
            for hospital in fold_named(study, record.run.fold).train if site == "pooled" else (site,):
                rows.append(
                    Spent(
                        site=hospital,
                        arm=record.run.arm,
                        fold=record.run.fold,
                        epsilon=epsilon,
                        delta=privacy.delta,
                        budget=privacy.epsilon,
                        releases=releases,
                    )
                )
    runs = Counter(row.site for row in rows)
    one_run = [stage.whole for stage in plan.stages.values()]
    composed = [
        Composed(site=site, epsilon=composed_epsilon(one_run * count, privacy.delta), delta=privacy.delta, runs=count)
        for site, count in sorted(runs.items())
    ]
    return PrivacyRecord(mechanism="dp-sgd", sites=tuple(rows), composed=tuple(composed))


def _oracle_rows(study: Study, records: Sequence[RunRecord], oracle: Mapping[str, float]) -> list[Oracle]:
    cohorts = sorted({(r.run.fold, count.role) for r in records for counts in r.cohorts.values() for count in counts})
    return [
        Oracle(model=model, fold=fold, cohort=role, metric=main_measure(study.outcome), estimate=oracle[model])
        for fold, role in cohorts
        if role != "train"
        for model in study.models
        if model in oracle
    ]


def _run_warnings(records: Sequence[RunRecord]) -> list[str]:
    """What went wrong in the runs, each thing once, in a stable order."""
    found = {f"{f.site}: {f.task}: {f.sentence}" for record in records for f in record.failures}
    found |= {
        f"{record.run.arm}, fold {record.run.fold}: {group} had too few contributors in a round and stayed as it was"
        for record in records
        for group in record.unpublished
    }
    found |= {f"{record.run.arm}, fold {record.run.fold}: {note}" for record in records for note in record.notes}
    return sorted(found)
