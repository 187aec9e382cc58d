"""Whether a model can learn under the study's privacy is told before training, with what to take instead."""

import pytest

from shared.learnability import learnability_warnings, learnable_parameters
from shared.study_file import load_study


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
