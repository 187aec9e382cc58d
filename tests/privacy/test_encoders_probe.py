"""The start-up self-test passes on encoders of every kind: recurrent ones, those on files' weights, and fixed ones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from client.gradients import Vector, patient_gradients
from client.probe import require_sound
from client.training import Round, gradient_mode, stage_loss
from shared.batch import Batch
from shared.encoders import ENCODERS
from shared.errors import StudyError
from shared.model import MultimodalModel
from shared.parameters import in_stage
from shared.study import Study
from shared.study_file import study_from_text
from tests.encoder_samples import DIGEST, moved, named, prepared, raw, section
from tests.small import STUDY

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("series", "window-statistics", {}),
    ("series", "bilstm", {}),
    ("signal", "resnet1d-transformer", {}),
    ("image", "cnn", {}),
    ("text", "ngrams", {}),
    ("text", "bilstm", {"weights": DIGEST}),
    ("text", "bert", {"weights": DIGEST, "tuning": "lora"}),
    ("text", "bert", {"weights": DIGEST, "tuning": "full"}),
    ("concepts", "bilstm", {}),
    ("bytes", "byte-cnn", {}),
    ("grid", "convlstm", {}),
]


def study_of(kind: str, name: str, options: dict[str, Any], **changes: Any) -> Study:
    """A study with one modality."""
    import tomllib

    values = tomllib.loads(STUDY)
    values["modalities"] = {"x": json.loads(section(kind, name, 1, **options).model_dump_json(by_alias=True))}
    values["evaluation"]["primary"] = "x"
    values["privacy"]["stages"] = {"encoders": 0.9, "fusion": 0, "threshold": 0.1}
    return study_from_text(json.dumps({**values, **changes}))


def batch_of(study: Study, patients: int) -> Batch:
    """Invented patients through the encoder's front end."""
    spec = study.modalities["x"]
    encoder = moved(ENCODERS[spec.kind][spec.encoder].build(spec, torch.Generator().manual_seed(0)))
    truth = torch.arange(patients, dtype=torch.float32).unsqueeze(1) % 2
    return Batch({"x": prepared(encoder, raw(spec, patients))}, {"x": torch.ones(patients, dtype=torch.bool)}, truth)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_self_test_passes(case: tuple[str, str, dict[str, Any]]) -> None:
    study = study_of(*case)
    assert require_sound(study, "encoders", batch_of(study, 3)) is None  # it refuses by raising


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_patient_s_gradient_is_his_own_whoever_else_is_there(case: tuple[str, str, dict[str, Any]]) -> None:
    study = study_of(*case)
    model, batch = MultimodalModel(study), batch_of(study, 3)
    for encoder in model.encoders.values():
        moved(encoder)  # type: ignore[arg-type]
    loss, inputs = stage_loss(model, batch, Round(study, "encoders", frozenset(["x"]), 1.0, None))
    weights = Vector.of({name: value for name, value in model.named_parameters() if in_stage(name, "encoders")})
    whole = replace(batch, inputs=inputs)
    together = patient_gradients(loss, weights, whole, gradient_mode(study, "encoders"))
    for patient in range(3):
        (alone,) = patient_gradients(loss, weights, whole.pick(torch.tensor([patient])), "loop")
        largest = float(alone.abs().max())
        assert largest > 0
        torch.testing.assert_close(together[patient], alone, rtol=1e-3, atol=1e-4 * largest)


def test_pre_training_is_refused_under_dp_sgd_with_the_reason_and_done_without() -> None:
    with pytest.raises(StudyError, match=r"modalities.x.pretraining: pre-training reads every patient without a clip"):
        study_of("bytes", "byte-cnn", {"pretraining": 2})
    open_study = study_of("bytes", "byte-cnn", {"pretraining": 2}, privacy={"mechanism": "none"})
    from client.pretraining import pretrain

    model, batch = MultimodalModel(open_study), batch_of(open_study, 3)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    pretrain(model, batch, open_study, frozenset())
    assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())
    pretrain(model, batch, open_study, frozenset(["x"]))
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, start[name])}
    assert "encoders.x.embedding.weight" in changed
    assert not any(name.startswith("heads.") or ".readout." in name for name in changed)
    again = MultimodalModel(open_study)
    pretrain(again, batch, open_study, frozenset(["x"]))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("options", "rule"), [
    ({"weights": DIGEST}, 'modalities.x.weights: encoder "filters" reads no pre-trained file'),
])  # fmt: skip
def test_a_key_that_the_encoder_would_pass_over_is_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(StudyError) as caught:
        study_of("image", "filters", options)
    assert rule in str(caught.value)


def test_text_encoders_that_need_a_file_ask_for_its_digest(tmp_path: Path) -> None:
    for name in ("words", "bert"):
        with pytest.raises(ValueError, match="needs weights"):
            section("text", name)
