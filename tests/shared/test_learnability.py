"""Whether a model can learn under the study's privacy is told before training, with what to take instead."""

import pytest

from shared.encoders import ENCODERS
from shared.heads import Outputs
from shared.learnability import _remedy, learnability_warnings, learnable_parameters, trained_parameters
from shared.study_file import load_study
from tests.encoder_samples import SECTIONS, section


def test_the_default_encoders_can_learn():
    assert learnability_warnings(load_study("lscc-staging")) == []
    assert learnability_warnings(load_study("uci-heart")) == []


def test_a_deep_network_cannot_and_its_replacement_is_named():
    (warning,) = learnability_warnings(load_study("lscc-staging", ['modalities.ct.encoder="network"']))
    assert 'modalities.ct: encoder "network" trains 14,' in warning
    assert warning.endswith('take encoder = "filters"')


def test_without_privacy_everything_may_learn():
    study = load_study("lscc-staging", ['modalities.ct.encoder="network"', 'privacy={mechanism="none"}'])
    assert learnable_parameters(study) is None
    assert learnability_warnings(study) == []


@pytest.mark.parametrize("less", ["privacy.epsilon=2.0", "sites.north.patients=60", "privacy.delta=1e-7"])
def test_less_privacy_budget_or_fewer_patients_let_fewer_parameters_learn(less):
    most, fewer = (learnable_parameters(load_study("lscc-staging", overrides)) for overrides in ([], [less]))
    assert most is not None
    assert fewer is not None
    assert fewer < most


def test_the_ratio_does_not_depend_on_steps_or_clip():
    changed = ["training.rounds=100", "training.steps=1", "privacy.clip=0.1"]
    assert learnable_parameters(load_study("lscc-staging", changed)) == learnable_parameters(load_study("lscc-staging"))


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_kind_s_default_encoder_learns_from_a_few_hundred_patients_at_epsilon_eight(kind: str) -> None:
    limit = learnable_parameters(load_study("lscc-staging"))
    assert limit is not None
    default = SECTIONS[kind][0].model_fields["encoder"].default
    assert trained_parameters(section(kind, default), Outputs(1)) < limit


@pytest.mark.parametrize(("kind", "name", "limit", "remedy"), [
    ("signal", "resnet1d", 4_000, 'take encoder = "beat-shape"'),
    ("text", "bilstm", 4_000, 'take encoder = "ngrams"'),
    ("bag", "network", 40, 'take encoder = "filters"'),  # the default, attention-mil, has 107
    ("concepts", "bilstm", 500, 'even encoder = "hashed-bag" trains 1,026: use more patients or epsilon with it'),
    ("concepts", "hashed-bag", 500, "use more patients or epsilon"),
])  # fmt: skip
def test_the_remedy_is_the_kind_s_default_or_the_largest_that_can_learn(kind, name, limit, remedy):
    assert _remedy(section(kind, name), Outputs(1), limit) == remedy


def test_a_wide_embedding_of_a_small_encoder_is_told_to_be_narrower():
    assert _remedy(section("concepts", "hashed-bag", 16), Outputs(1), 2_000) == "take width = 1"
