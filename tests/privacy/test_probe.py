"""The self-test passes on the code as it is, and catches what would make a run private in name only."""

import pytest
import torch

from client import probe, training
from client.probe import require_sound
from shared.batch import Batch
from shared.encoders import ENCODERS
from shared.errors import PrivacyRefusal
from shared.study import Study
from shared.study_file import load_study


@pytest.fixture(autouse=True)
def _forget():
    probe._probe.cache_clear()
    yield
    probe._probe.cache_clear()


def shaped(study: Study) -> Batch:
    prepared = {}
    for name, spec in study.modalities.items():
        encoder = ENCODERS[spec.kind][spec.encoder].build(spec, torch.Generator().manual_seed(0))
        values = encoder.prepare(torch.rand(spec.shape))
        prepared[name] = (tuple(values.shape), values.dtype)
    return probe.invented(study, tuple((name, *form) for name, form in prepared.items()), 2)


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
@pytest.mark.parametrize(
    "overrides", [(), ('fusion.kind="mean"',), ("fusion.clip_share=1.0",), ('privacy.clip_by="modality"',)]
)
def test_the_code_as_it_is_passes(stage, overrides):
    study = load_study("lscc-staging", overrides)
    assert require_sound(study, stage, shaped(study)) is None  # it refuses by raising


def broken_no_clip(monkeypatch):
    monkeypatch.setattr(training.CryptographicOptimizer, "clip_and_accumulate", _sum_only)
    monkeypatch.setattr(training, "clip_patients", lambda *_: None)


def _sum_only(self):
    for parameter in self.params:
        parameter.summed_grad = parameter.grad_sample.sum(dim=0)
        parameter.grad_sample._processed = True
        parameter.summed_grad._processed = False


def broken_half_the_noise(monkeypatch):
    whole = training.gaussian
    monkeypatch.setattr(training, "gaussian", lambda shape, deviation: whole(shape, deviation / 2))


def broken_no_noise(monkeypatch):
    monkeypatch.setattr(training, "gaussian", lambda shape, _: torch.zeros(tuple(shape), dtype=torch.float64).numpy())


def broken_weights_by_batch(monkeypatch):
    whole = training.patient_gradients

    def by_batch(loss, vector, batch, mode):
        return whole(loss, vector, batch, mode) * (1 + batch.outcome.mean())

    monkeypatch.setattr(training, "patient_gradients", by_batch)


def broken_a_patient_counted_twice(monkeypatch):
    whole = training.patient_gradients

    def twice(loss, vector, batch, mode):
        gradients = whole(loss, vector, batch, mode)
        return torch.cat([gradients, gradients[:1]])

    monkeypatch.setattr(training, "patient_gradients", twice)


@pytest.mark.parametrize("stage", ["encoders", "fusion"])
@pytest.mark.parametrize(
    ("breaking", "sentence"),
    [
        (broken_no_clip, "moves the sum by more than the clip"),
        (broken_half_the_noise, "noise is not of the planned size"),
        (broken_no_noise, "there is no noise"),
        (broken_weights_by_batch, "not the sum of each patient's own gradient|more than the clip"),
        (broken_a_patient_counted_twice, "more than the clip"),
    ],
)
def test_what_breaks_privacy_is_refused(monkeypatch, breaking, sentence, stage):
    study = load_study("lscc-staging")
    breaking(monkeypatch)
    with pytest.raises(PrivacyRefusal, match=sentence):
        require_sound(study, stage, shaped(study))
