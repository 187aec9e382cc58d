"""Rules of a study that span sections; each fault is a problem with its place, and all are found at once."""

from collections.abc import Iterator

from shared.boosting_rules import boosting_faults
from shared.cohort_rules import cohort_faults, cohort_warnings
from shared.cohorts import folds
from shared.imputation_rules import imputation_faults
from shared.modalities import Modality
from shared.modalities.tabular import Tabular
from shared.nomogram_rules import nomogram_faults
from shared.outcomes.binary import Binary
from shared.outcomes.classes import Classes, Multiclass, Multilabel
from shared.outcomes.loss_choice import CrossEntropy, Weighted
from shared.outcomes.numbers import Forecast
from shared.proportional_rules import proportional_faults
from shared.published import published_place
from shared.sampling_rules import sampling_faults, sampling_warnings
from shared.sections import duplicates
from shared.selection_rules import selection_faults
from shared.simulation_rules import simulation_faults
from shared.study import PICKS_ONE, DpSgd, Study

Fault = tuple[str, str, str]  # place, rule, remedy
READS_WEIGHTS = ("network", "words", "bilstm", "bert")  # encoders that take a pre-trained file
COHORTS = ("train", "internal", "external")  # what a published figure can be about


def faults(study: Study) -> Iterator[Fault]:
    """Every broken rule of a study whose sections are right by themselves."""
    yield from cohort_faults(study)
    yield from _modality_faults(study)
    yield from imputation_faults(study)
    yield from selection_faults(study)
    yield from _fusion_faults(study)
    yield from _evaluation_faults(study)
    yield from _survival_faults(study)
    yield from _training_faults(study)
    yield from _loss_faults(study)
    yield from _resampling_faults(study)
    yield from _recalibration_faults(study)
    yield from boosting_faults(study)
    yield from proportional_faults(study)
    yield from _comparator_faults(study)
    yield from nomogram_faults(study)
    yield from _strategy_faults(study)
    yield from sampling_faults(study)
    yield from _privacy_faults(study)
    yield from simulation_faults(study)


def warnings(study: Study) -> Iterator[str]:
    """What is allowed but should be known before training."""
    if isinstance(study.privacy, DpSgd):
        smallest = min(site.patients for site in study.sites.values())
        if study.privacy.delta > 1 / (10 * smallest):
            yield (
                f"privacy.delta = {study.privacy.delta:g} at {smallest} patients: the guarantee may fail outright for "
                f"a patient with that probability; a delta up to {1 / (10 * smallest):.1g} is usual for this size"
            )
        yield from sampling_warnings(study)
    yield from cohort_warnings(study)


def _modality_faults(study: Study) -> Iterator[Fault]:
    unit, names = study.unit, set(study.modalities)
    kept_apart = {unit.patient, unit.row, unit.time, *study.outcome.columns}
    kept_apart |= set(study.survival.columns) if study.survival else set()
    for name, modality in study.modalities.items():
        read = modality.columns if isinstance(modality, Tabular) else modality.cells
        for column in sorted(kept_apart & set(read)):
            rule = f'"{column}" is an identifier, a time or the outcome, and cannot be an input'
            yield f"modalities.{name}", rule, "remove the column from the inputs"
        yield from _encoder_faults(study, name, modality)
    for site, entry in study.sites.items():
        for name in sorted(set(entry.lacks) - names):
            yield f"sites.{site}.lacks", f'"{name}" is not under [modalities]', "correct the name"
        if set(entry.lacks) == names:
            yield f"sites.{site}.lacks", "a hospital must have at least one modality", "remove it from the study"


def _encoder_faults(study: Study, name: str, modality: Modality) -> Iterator[Fault]:
    """Keys of one encoder that another would pass over in silence, and what reads patients without a clip or noise."""
    place = f"modalities.{name}"
    encoder: str = modality.encoder
    if getattr(modality, "weights", None) and encoder not in READS_WEIGHTS:
        yield f"{place}.weights", f'encoder "{encoder}" reads no pre-trained file', "remove the key, or the encoder"
    if not getattr(modality, "pretraining", 0):
        return
    if encoder != "byte-cnn":
        yield f"{place}.pretraining", f'encoder "{encoder}" has no pre-training', 'write 0, or encoder = "byte-cnn"'
    if study.private:
        rule = "pre-training reads every patient without a clip or noise, which no budget covers under dp-sgd"
        yield f"{place}.pretraining", rule, 'write 0, or encoder = "byte-histogram"'


def _fusion_faults(study: Study) -> Iterator[Fault]:
    widths = {name: spec.width for name, spec in study.modalities.items()}
    if isinstance(study.outcome, Multiclass | Multilabel | Forecast):
        for name, width in widths.items():
            if width < study.outcome.outputs:
                rule = f"an embedding of {width} cannot tell {study.outcome.outputs} scores apart"
                yield f"modalities.{name}.width", rule, f"write width = {study.outcome.outputs} or more"
    if study.fusion.masked and (study.fusion.combinations != "all" or len(widths) < 2):
        yield "fusion.masked", "one fusion for all combinations needs several combinations", "remove it"
    if study.fusion.kind == "mean" and len(set(widths.values())) > 1:
        told = ", ".join(f"{name} {width}" for name, width in widths.items())
        yield "fusion.kind", f"a mean needs embeddings of one width, got {told}", "give the modalities one width"


def _evaluation_faults(study: Study) -> Iterator[Fault]:
    names = list(study.modalities)
    if study.primary not in study.models:
        rule = f'must name modalities joined by "+", in their order, got {study.primary}'
        yield "evaluation.primary", rule, f'for instance "{"+".join(names)}"'
    yield from _threshold_faults(study)
    for name in study.evaluation.published:
        metric, cohort, model = published_place(name)
        if not metric or cohort not in COHORTS or (model and model not in study.compared):
            rule = f'a published figure is named "metric.cohort" or "metric.cohort.model", got {name}'
            yield "evaluation.published", rule, f'for instance "auc.external", "auc.external.{study.models[0]}"'
    yield from _comparison_faults(study)


def _survival_faults(study: Study) -> Iterator[Fault]:
    """The second endpoint follows the two risk groups of one threshold, and one row a patient."""
    if study.survival is None:
        return
    if study.outcome.kind != "binary" or study.evaluation.threshold is None:
        rule = "needs a binary outcome with a threshold, which makes the risk groups"
        yield "survival", rule, 'remove it, or take outcome.kind = "survival"'
    if study.unit.row:
        yield "survival", "follows patients, and this study has several rows of each", "remove it, or unit.row"
    if both := set(study.survival.columns) & set(study.outcome.columns):
        yield "survival", f'"{min(both)}" is a column of the outcome', "name another column"


def _comparison_faults(study: Study) -> Iterator[Fault]:
    decisions = study.evaluation.decision_range
    if decisions is not None and not decisions[0] < decisions[1]:
        rule = f"must be [low, high] with low < high, got {list(decisions)}"
        yield "evaluation.decision_range", rule, "for instance [0.1, 0.7]"
    for cohort, (patients, events) in study.evaluation.published_patients.items():
        if cohort not in COHORTS or not 0 < events < patients:
            rule = f'must be [patients, events] of a cohort, with both classes, got "{cohort}" {[patients, events]}'
            yield "evaluation.published_patients", rule, "for instance external = [114, 57]"


def _threshold_faults(study: Study) -> Iterator[Fault]:
    decides = isinstance(study.outcome, Binary)
    if decides and study.evaluation.threshold is None:
        yield "evaluation.threshold", "is missing", 'for instance { rule = "youden", from = "train" }'
    if not decides and study.evaluation.threshold is not None:
        yield "evaluation.threshold", f"a {study.outcome.kind} outcome has no single threshold", "remove it"


def _training_faults(study: Study) -> Iterator[Fault]:
    training = study.training
    external = any(fold.external for fold in folds(study))
    for arm in duplicates(study.arms.run):
        yield "arms.run", f'"{arm}" stands twice', "keep it once"
    if training.schedule == "joint" and not study.fusions:
        yield "training.schedule", "there is one modality and nothing to train jointly", 'write "staged"'
    if set(training.share) != {"encoders", "fusion"}:
        if external:
            yield (
                "training.share",
                "encoders that stay at their hospital cannot be used at an external one",
                ('write share = ["encoders", "fusion"], or remove the external cohort'),
            )
        else:
            yield (
                "training.share",
                "encoders that stay personal are not available",
                ('write share = ["encoders", "fusion"]'),
            )
    if "federated" in study.arms.run and not training.share_alone:
        trainers = min(len(fold.train) for fold in folds(study))
        if trainers < training.min_contributors:
            yield (
                "training.min_contributors",
                (f"{trainers} training hospital(s), {training.min_contributors} needed in the federated arm"),
                "add hospitals, or write training.share_alone = true",
            )


def _comparator_faults(study: Study) -> Iterator[Fault]:
    for name, choice in study.comparators.items():
        place = f"comparators.{name}"
        if name in study.models:
            yield place, "this is the name of a model", "rename it"
        if "federated" in choice.arms:
            rule = f"{choice.kind} is made of patients (neighbours, support vectors) or cuts at their values"
            yield f"{place}.arms", f"{rule}, so it cannot be federated", 'keep "alone" and "pooled"'
        for part in sorted(set(choice.modalities) - set(study.modalities)):
            yield f"{place}.modalities", f'"{part}" is not under [modalities]', "correct the name"
        if study.outcome.kind not in ("binary", "early-warning", "multiclass"):
            yield place, f"no comparator learns a {study.outcome.kind} outcome", "remove it"


def _resampling_faults(study: Study) -> Iterator[Fault]:
    place, resample = "training.resample", study.training.resample
    if resample == "none":
        return
    if study.private:
        rule = f"{resample} makes one record of several patients, which breaks the unit of privacy"
        yield place, rule, 'take loss = { kind = "weighted", ... } with the declared prevalence'
    if study.outcome.kind not in ("binary", "early-warning", "multiclass", "ordinal"):
        yield place, f"a {study.outcome.kind} outcome has no classes to balance", "remove it"


def _loss_faults(study: Study) -> Iterator[Fault]:
    loss, outcome = study.training.loss, study.outcome
    if isinstance(loss, CrossEntropy):
        return
    sizes = {"binary": 2, "early-warning": 2, "multilabel": 2}
    classes = len(outcome.classes) if isinstance(outcome, Classes) else sizes.get(outcome.kind, 0)
    if not classes or (isinstance(loss, Weighted) and outcome.kind == "multilabel"):
        yield "training.loss", f"{loss.kind} is no loss of a {outcome.kind} outcome", "remove it"
    elif isinstance(loss, Weighted) and len(loss.prevalence) != classes:
        yield "training.loss", f"the prevalence of {classes} classes is needed", "state one share for each"


def _recalibration_faults(study: Study) -> Iterator[Fault]:
    if study.training.recalibrate != "none" and not isinstance(study.outcome, Binary):
        rule = f"the scores of a {study.outcome.kind} outcome are not tallied, from which a line could be fitted"
        yield "training.recalibrate", rule, "remove it"


def _strategy_faults(study: Study) -> Iterator[Fault]:
    training = study.training
    if training.strategy in PICKS_ONE and not (study.private or training.share_alone):
        yield (
            "training.strategy",
            f"{training.strategy} publishes values of single hospitals",
            ('take "trimmed-mean", or write training.share_alone = true, or train under dp-sgd'),
        )


def _privacy_faults(study: Study) -> Iterator[Fault]:
    if not isinstance(study.privacy, DpSgd):
        return
    if study.privacy.validation and not isinstance(study.outcome, Binary):
        rule = f"the scores of a {study.outcome.kind} outcome are not tallied, so validation cannot be noised"
        yield "privacy.validation", rule, "remove it"
    stages, joint = study.privacy.stages, study.training.schedule == "joint"
    fused = bool(study.fusions) and not joint
    if joint and stages.fusion > 0:
        yield "privacy.stages.fusion", "a joint schedule has no stage of its own for fusions", "write 0"
    if fused and stages.fusion == 0:
        yield "privacy.stages.fusion", "fusion heads are trained, so this stage needs a share", "give it one"
    if not fused and not joint and stages.fusion > 0:
        yield "privacy.stages.fusion", "there is one modality and nothing to fuse", "write 0 and raise the others"
    if study.tallied and stages.threshold == 0:
        yield (
            "privacy.stages.threshold",
            "a threshold or recalibration from training patients is a release and needs a share",
            ("give it one, or declare evaluation.threshold.value"),
        )
    if not study.tallied and stages.threshold > 0:
        yield "privacy.stages.threshold", "the threshold is declared and costs nothing", "write 0 and raise the others"
