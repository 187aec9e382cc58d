"""Studies with the papers' own encoders and training: what stands for them is said, and what can be had is named."""

import re

import pytest
import torch

from shared.errors import StudyError
from shared.learnability import learnability_warnings
from shared.model import MultimodalModel
from shared.published import REPLACED
from shared.study import Study
from shared.study_file import catalog, load_study
from shared.study_rules import warnings

OWN = tuple(name for name in catalog() if load_study(name).source.as_published)
SECTIONS = ("modalities", "fusion", "training", "privacy")  # what may differ
NO_SUCH_THING = {  # studies where something stands for the paper's own, and the registries cannot have that
    "thrombolysis-risk": "trees of three classes cannot be federated, and its encoder of the ECG is not told",
}
NOT_TOLD = "the paper does not tell how it reads it"
KEPT = {  # encoders that stay as they are beside those that change, and why
    ("encrypted-traffic", "header"): NOT_TOLD,
    ("ggn-malignancy", "report"): "Word2Vec needs a file, which a hospital names by its digest",
    ("lscc-staging", "clinical"): "logistic, as in the paper",
    ("lscc-staging", "laryngoscopy"): "attention over several pictures, as in the paper",
    ("pancreatitis-recurrence", "clinical"): NOT_TOLD,
    ("post-sentiment", "text"): "BERT needs a folder, which a hospital names by its digest",
    ("preeclampsia-kidney", "clinical"): NOT_TOLD,
    ("psma-lymph-node", "uptake"): "one number",
    ("psma-lymph-node", "clinical"): NOT_TOLD,
    ("retina-severity", "patient"): NOT_TOLD,
    ("retina-severity", "expert"): NOT_TOLD,
    ("sarcopenia-ultrasound", "clinical"): "features of a table, joined as they are",
    ("solid-nodule", "radiomics"): "features of a table, joined as they are",
    ("solid-nodule", "proteins"): "features of a table, joined as they are",
}  # of the others one is in part the paper's: BiLSTM of sepsis-mortality reads words without ClinicalBERT before it


def own(name: str) -> Study:
    return load_study(name, load_study(name).source.as_published)


@pytest.mark.parametrize("name", OWN)
def test_as_published_it_loads_and_differs_where_it_may(name: str) -> None:
    lighter, study = load_study(name), own(name)
    ours, theirs = lighter.model_dump(exclude={"overrides"}), study.model_dump(exclude={"overrides"})
    changed = {section for section, value in theirs.items() if value != ours[section]}
    assert "modalities" in changed
    assert changed <= set(SECTIONS)
    assert any(study.modalities[place].encoder != spec.encoder for place, spec in lighter.modalities.items())
    assert [(spec.kind, spec.shape) for spec in study.modalities.values()] == [
        (spec.kind, spec.shape) for spec in lighter.modalities.values()
    ], "the same files are read"
    assert not [*warnings(study), *learnability_warnings(study)]


@pytest.mark.parametrize("name", OWN)
def test_each_override_changes_something(name: str) -> None:
    overrides = load_study(name).source.as_published
    assert len({override.partition("=")[0] for override in overrides}) == len(overrides)
    whole = own(name).model_dump(exclude={"overrides"})
    for left_out in overrides:
        try:
            other = load_study(name, [override for override in overrides if override != left_out])
        except StudyError:
            continue  # another override needs it
        assert other.model_dump(exclude={"overrides"}) != whole, left_out


@pytest.mark.parametrize("name", OWN)
def test_its_model_is_built_and_is_larger(name: str) -> None:
    lighter, study = load_study(name), own(name)
    with torch.device("meta"):  # shapes alone: a network of volumes has tens of millions of parameters
        sizes = [sum(value.numel() for value in MultimodalModel(one).parameters()) for one in (lighter, study)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("name", ["sarcopenia-ultrasound", "sepsis-mortality", "water-level"])
def test_its_model_reads_two_patients(name: str) -> None:
    study = own(name)
    model = MultimodalModel(study)
    raw = {place: torch.zeros(spec.shape, dtype=getattr(torch, spec.dtype)) for place, spec in study.modalities.items()}
    inputs = {place: torch.stack([model.encoders[place].prepare(one)] * 2) for place, one in raw.items()}
    scores = model.fused_score(study.primary, model.embed(inputs), {place: torch.ones(2).bool() for place in raw})
    assert len(scores) == 2
    assert scores.isfinite().all()


def test_a_run_as_published_says_so_before_what_it_infers() -> None:
    for name in OWN:
        lighter = load_study(name).source
        assert load_study(name, lighter.own).source.inferred == (REPLACED, *lighter.inferred)
    assert load_study("thrombolysis-risk").source.own == ()


def test_what_stands_for_an_encoder_can_be_had_as_published() -> None:
    stands = {name for name in catalog() if re.search(r"\bstands? for\b", " ".join(load_study(name).source.inferred))}
    assert stands - set(OWN) == set(NO_SUCH_THING)
    assert not set(OWN) - stands, "nothing is said to stand for what these change"
    kept = {
        (name, place)
        for name in OWN
        for place, spec in load_study(name).modalities.items()
        if own(name).modalities[place].encoder == spec.encoder
    }
    assert kept == set(KEPT)
