"""What is measured: every registered encoder as a study of one modality, and the fusion heads; with their bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from client.probe import invented
from shared.batch import Batch
from shared.cohorts import training_patients
from shared.encoders import ENCODERS
from shared.fusions import FUSIONS
from shared.modalities import Modality
from shared.study import Study
from shared.study_file import load_study

STUDY, HOSPITAL = "lscc-staging", "north"
FUSED_WIDTHS = (1, 16)  # of each embedding: a score, and an image network's
# Patients of a step where it takes a second or gigabytes with all of the hospital's; the ratios hardly depend on them.
FEWER = {("volume", "cnn"): 32, ("bag", "cnn"): 32, ("volume", "network"): 3, ("bag", "network"): 3}
# Bars: a private step against the same step without privacy, and against Opacus' hooks where those are correct.
HEAD, NETWORK, HOOKS, VOLUME_HOOKS = 1.5, 2.5, 1.3, 0.5
CONVOLUTIONAL = frozenset({"cnn", "network"})


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
    for name, spec in base.modalities.items():
        for encoder in ENCODERS[spec.kind]:
            study = only(base, name, spec.model_copy(update={"encoder": encoder}))
            count = patients or FEWER.get((spec.kind, encoder), round(training_patients(base, HOSPITAL)))
            if ENCODERS[spec.kind][encoder].gradients == "loop":  # seconds a step
                study = study.model_copy(update={"training": study.training.model_copy(update={"steps": 1})})
            convolutional = encoder in CONVOLUTIONAL
            hooks = VOLUME_HOOKS if convolutional and spec.kind == "volume" else HOOKS
            yield Case(f"{spec.kind} {encoder}", study, "encoders", count, NETWORK if convolutional else HEAD, hooks)


def _fusions(base: Study, patients: int | None) -> Iterator[Case]:
    count = patients or round(training_patients(base, HOSPITAL))
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
    prepared = encoder.prepare(torch.rand(spec.shape, generator=torch.Generator().manual_seed(0)))
    return tuple(prepared.shape), prepared.dtype
