"""All of ``results.json`` from the study and the records of its runs."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from server.record import RunRecord
from server.report.books import Composed, PrivacyRecord, Spent
from server.report.results import Metric, Oracle, Results, StudyRecord, Timing
from server.report.wording import PROTECTION, arm_name
from server.validation.adequacy import published_rows, sample_size_rows
from server.validation.comparisons import arm_comparisons, model_comparisons
from server.validation.conduct import release_rows, round_rows, seal_rows
from server.validation.crossed import summarised
from server.validation.curves import calibration_rows, decision_rows, roc_rows
from server.validation.heterogeneity import meta_rows
from server.validation.main_measure import main_measure
from server.validation.nomograms import nomogram_rows
from server.validation.patterns import pattern_figures
from server.validation.portraits import characteristic_rows, cohorts_of, pattern_rows
from server.validation.readers import reader_rows
from server.validation.rows import cohort_rows, cross_site_rows, fold_rows, metric_rows
from server.validation.survival import concordance_rows, survival_rows
from server.validation.suspicion import suspicion_warnings
from shared import VERSION
from shared.cohort_rules import folds_add_up
from shared.cohorts import fold_named
from shared.learnability import learnability_warnings
from shared.privacy.accounting import Release, composed_epsilon
from shared.privacy.mechanism import plan_privacy
from shared.study import DpSgd, Study
from shared.study_rules import warnings


def assemble(
    study: Study, records: Sequence[RunRecord], engine: str, oracle: Mapping[str, float], seconds: float
) -> Results:
    """Results of a study; ``oracle`` has the best possible figure by model where the patients were invented."""
    runs, records = records, summarised(study, records)
    kept = {id(record) for record in records}
    own = [record for record in records if record.private == study.private]  # not a simulation's twin
    one_a_cohort = list({(r.run.fold, r.folds > 0): r for r in reversed(own)}.values())
    portrayed = cohorts_of(study, own)
    federated = [record for record in records if record.run.arm == "federated"]
    metrics = (
        *(row for record in records for row in metric_rows(study, record)),
        *(row for record in runs if id(record) not in kept for row in fold_rows(study, record)),
        *(row for record in federated for row in concordance_rows(study, record)),
    )
    return Results(
        study=_study_record(study),
        engine=engine,
        seed=study.seed,
        privacy=_privacy(study, runs),
        cohorts=tuple(row for record in one_a_cohort for row in cohort_rows(study, record)),
        characteristics=tuple(characteristic_rows(study, portrayed)),
        patterns=tuple(pattern_rows(portrayed)),
        metrics=metrics,
        comparisons=(
            *(row for record in records for row in model_comparisons(study, record)),
            *arm_comparisons(study, records),
        ),
        meta=tuple(meta_rows(study, records)),
        pattern_figures=tuple(row for record in federated for row in pattern_figures(study, record)),
        readers=(
            *reader_rows(study),
            *(row for record in own if record.run.arm == "federated" for row in nomogram_rows(study, record)),
        ),
        sample_size=tuple(row for r in own if r.run.arm == "federated" for row in sample_size_rows(study, r)),
        cross_site=tuple(cross_site_rows(study, records)),
        oracle=tuple(_oracle_rows(study, records, oracle)),
        published=tuple(published_rows(study)),
        curves=tuple(row for record in records for row in roc_rows(study, record)),
        calibration=tuple(row for record in records for row in calibration_rows(study, record)),
        decisions=tuple(row for record in records for row in decision_rows(study, record)),
        survival=tuple(row for record in federated for row in survival_rows(study, record)),
        releases=tuple(row for record in runs for row in release_rows(record)),
        seals=tuple(row for record in runs for row in seal_rows(record)),
        warnings=_warnings(study, [*runs, *(record for record in records if record.folds)], metrics),
        timing=_timing(runs, seconds),
        environment=_environment(),
    )


def _timing(runs: Sequence[RunRecord], seconds: float) -> Timing:
    """What may differ between two runs of one study."""
    return Timing(
        seconds_total=seconds,
        phases={_phase(record): record.seconds for record in runs},
        rounds=tuple(row for record in runs for row in round_rows(record)),
        frozen={record.models: record.committed for record in runs if record.committed},
        splits={site: digest for record in runs for site, digest in sorted(record.splits.items())},
    )


def _study_record(study: Study) -> StudyRecord:
    return StudyRecord(
        name=study.name,
        title=study.title,
        digest=study.digest,
        primary=study.primary,
        outcome=_outcome_phrase(study),
        overrides=study.overrides,
        decision_range=study.evaluation.decision_range,
        inferred=study.source.inferred,
        measure=main_measure(study.outcome),
        scheme=study.cohorts.scheme,
        divided=study.cohorts.told,
        fixed=tuple(study.nomograms),
        row=study.unit.row,
    )


def _environment() -> dict[str, str]:
    """Versions of the program and of what it computes with."""
    return {
        "medley": VERSION,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("torch", "flwr", "opacus", "numpy")},
    }


def _warnings(study: Study, records: Sequence[RunRecord], metrics: Sequence[Metric]) -> tuple[str, ...]:
    """What a reader must know before he believes a figure."""
    of_study = (*warnings(study), *learnability_warnings(study))
    return (*of_study, *suspicion_warnings(study, metrics), *_run_warnings(records))


def _outcome_phrase(study: Study) -> str:
    moment = study.outcome.predicted_at
    return f"{study.outcome.phrase}, predicted {moment if moment.startswith('before ') else f'at {moment}'}"


def _phase(record: RunRecord) -> str:
    """A run in words, as "alone at north, no privacy"."""
    run = record.run
    fold = f", fold {run.fold}" if run.fold != "main" else ""
    return f"{arm_name(run.arm)}{fold}, {PROTECTION[record.private]}"


def _privacy(study: Study, records: Sequence[RunRecord]) -> PrivacyRecord:
    if not isinstance(study.privacy, DpSgd):
        return PrivacyRecord(mechanism="none")
    privacy, plan = study.privacy, plan_privacy(study)
    assert plan is not None
    budget, noise = (privacy.epsilon, privacy.delta), privacy.validation
    rows = tuple(_spent_rows(study, records, budget, validates=False))
    validation = tuple(_spent_rows(study, records, (noise.epsilon, noise.delta), validates=True)) if noise else ()
    releases: dict[str, list[Release]] = {}
    for row in rows:
        releases.setdefault(row.site, []).extend(stage.whole for stage in plan.stages.values())
    for row in validation:
        assert plan.validation is not None
        releases.setdefault(row.site, []).append(plan.validation.whole)
    runs = Counter(site for site, _, _ in {(row.site, row.arm, row.fold) for row in (*rows, *validation)})
    delta = min(privacy.delta, noise.delta) if noise else privacy.delta
    composed = [
        Composed(site=site, epsilon=composed_epsilon(releases[site], delta), delta=delta, runs=count)
        for site, count in sorted(runs.items())
    ]
    return PrivacyRecord(
        mechanism="dp-sgd", sites=rows, validation=validation, composed=tuple(composed), folds=folds_add_up(study)
    )


def _spent_rows(
    study: Study, records: Sequence[RunRecord], budget: tuple[float, float], validates: bool
) -> Iterator[Spent]:
    """What each run spent at each hospital, of a ``budget`` (epsilon, delta); a simulation's pool is all of its own."""
    for record in records:
        for site, (epsilon, releases) in record.spent(validates).items():
            for hospital in fold_named(study, record.run.fold).train if site == "pooled" else (site,):
                yield Spent(
                    site=hospital,
                    arm=record.run.arm,
                    fold=record.run.fold,
                    epsilon=epsilon,
                    delta=budget[1],
                    budget=budget[0],
                    releases=releases,
                )


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
