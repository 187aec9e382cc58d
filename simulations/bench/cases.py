"""What is measured: every registered encoder as a study of one modality, and the fusion heads; with their bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from client.probe import invented
from shared.batch import Batch
from shared.cohorts import folds, training_patients
from shared.encoders import ENCODERS
from shared.fusions import FUSIONS
from shared.modalities import Modality
from shared.study import Study
from shared.study_file import load_study

STUDY, HOSPITAL = "lscc-staging", "north"
FUSED_WIDTHS = (1, 16)  # of each embedding: a score, and an image network's
# Patients of a step where it takes a second or gigabytes with all of the hospital's. Noise of many weights weighs less
# the more there are; the gradients of each, written and read again, more where one plain pass serves them all.
FEWER = {
    "cnn": 32,
    "network": 3,
    "bert": 3,
    "byte-cnn": 16,
    "resnet1d": 16,
    "resnet1d-transformer": 16,
} | dict.fromkeys(("bilstm", "gru", "convlstm"), 8)
# Bars: a private step against the same step without privacy, and against Opacus' hooks where those are correct.
HEAD, NETWORK, RECURRENT, HOOKS, HALF = 1.5, 2.5, 5.5, 1.3, 0.5
NETWORKS = frozenset({"cnn", "network", "bert", "byte-cnn", "resnet1d", "resnet1d-transformer"})
RECURRENTS = frozenset({"bilstm", "gru", "convlstm"})
# Kinds that the study lacks, as another study of the catalog has them.
BESIDE = {
    "series": ("sepsis-mortality", "course"),
    "signal": ("ptb-xl-normal", "ecg"),
    "image": ("thyroid-follicular", "ultrasound"),
    "text": ("ptb-xl-normal", "report"),
    "concepts": ("acute-kidney-injury", "concepts"),
    "bytes": ("encrypted-traffic", "payload"),
    "grid": ("water-level", "radar"),
}
STAND_IN = "0" * 64  # digest of weights that the model invents


@dataclass(frozen=True)
class Case:
    """A stage of a study on so many patients: its step costs at most ``plain`` and ``hooks`` times the others'."""

    name: str
    study: Study
    stage: Literal["encoders", "fusion"]
    patients: int
    plain: float
    hooks: float

    @property
    def groups(self) -> frozenset[str]:
        """Everything that the study trains."""
        return frozenset(self.study.models)

    def batch(self) -> Batch:
        """Invented patients, the same at every call."""
        shapes = tuple((name, *prepared_form(spec)) for name, spec in self.study.modalities.items())
        return invented(self.study, shapes, self.patients)


def all_cases(patients: int | None = None) -> list[Case]:
    """Every encoder and fusion; ``patients`` replaces the number of patients of each (a test's few)."""
    base = load_study(STUDY, ["training.learning_rate=0.001"])  # far from where weights that learn noise overflow
    return [*_encoders(base, patients), *_fusions(base, patients)]


def _encoders(base: Study, patients: int | None) -> Iterator[Case]:
    for name, spec in [*base.modalities.items(), *_beside()]:
        for encoder in ENCODERS[spec.kind]:
            weights = {"weights": STAND_IN} if encoder in ("words", "bert") else {}
            study = only(base, name, spec.model_copy(update={"encoder": encoder, **weights}))
            count = patients or FEWER.get(encoder, round(training_patients(base, HOSPITAL, folds(base)[0])))
            if ENCODERS[spec.kind][encoder].gradients == "loop":  # seconds a step
                study = study.model_copy(update={"training": study.training.model_copy(update={"steps": 1})})
            plain = NETWORK if encoder in NETWORKS else RECURRENT if encoder in RECURRENTS else HEAD
            halved = encoder in RECURRENTS or (encoder in NETWORKS and spec.kind == "volume")
            yield Case(f"{spec.kind} {encoder}", study, "encoders", count, plain, HALF if halved else HOOKS)


def _beside() -> Iterator[tuple[str, Modality]]:
    for study, name in BESIDE.values():
        yield name, load_study(study).modalities[name]


def _fusions(base: Study, patients: int | None) -> Iterator[Case]:
    count = patients or round(training_patients(base, HOSPITAL, folds(base)[0]))
    for kind in FUSIONS:
        for width in FUSED_WIDTHS:
            wide = {name: spec.model_copy(update={"width": width}) for name, spec in base.modalities.items()}
            choice = base.fusion.model_copy(update={"kind": kind, "combinations": "all"})
            study = base.model_copy(update={"modalities": wide, "fusion": choice})
            yield Case(f"fusion {kind}, width {width}", study, "fusion", count, HEAD, HOOKS)


def only(base: Study, name: str, spec: Modality) -> Study:
    """The study with a single modality, which is then its primary model."""
    primary = base.evaluation.model_copy(update={"primary": name})
    return base.model_copy(update={"modalities": {name: spec}, "evaluation": primary})


def prepared_form(spec: Modality) -> tuple[tuple[int, ...], torch.dtype]:
    """Shape and type of a patient after the encoder's fixed front end."""
    encoder = ENCODERS[spec.kind][spec.encoder].build(spec, torch.Generator().manual_seed(0))
    encoder.stand_in()
    prepared = encoder.prepare(torch.rand(spec.shape, generator=torch.Generator().manual_seed(0)))
    return tuple(prepared.shape), prepared.dtype
