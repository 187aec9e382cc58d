"""A registered modality has a reader and encoders, and a study may name exactly those."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from client.front_end import FrontEnd
from client.readers import READERS
from client.readers.reading import NO_TABLE, Case, Reading, Source
from shared.encoders import ENCODERS
from shared.modalities import MODALITIES
from shared.study_file import load_study
from shared.study_rules import faults
from tests.encoder_samples import section


def test_every_modality_has_a_reader_and_encoders() -> None:
    assert set(READERS) == set(MODALITIES) == set(ENCODERS)


@pytest.mark.parametrize("kind", MODALITIES)
def test_a_modality_is_named_by_its_kind_and_its_encoders_are_registered(kind: str) -> None:
    fields = MODALITIES[kind].model_fields
    assert get_args(fields["kind"].annotation) == (kind,)
    assert set(get_args(fields["encoder"].annotation)) == set(ENCODERS[kind])
    assert fields["encoder"].default in ENCODERS[kind]


def registered(kind: str) -> Any:
    return section(kind, MODALITIES[kind].model_fields["encoder"].default)


@pytest.mark.parametrize("kind", MODALITIES)
def test_a_patient_of_whom_nothing_is_there_is_absent(kind: str, tmp_path: Path) -> None:
    spec = registered(kind)
    found = READERS[kind](spec, Source(tmp_path)).read(Case("P1", dict.fromkeys(spec.cells, "")))
    assert found.tensor is None
    assert set(found.faults) <= {NO_TABLE}


@pytest.mark.parametrize("kind", MODALITIES)
def test_in_his_place_stands_what_the_encoder_makes_of_a_blank_tensor(kind: str, tmp_path: Path) -> None:
    spec = registered(kind)
    opened = FrontEnd(spec, Source(tmp_path))
    blank = torch.zeros(spec.shape, dtype=getattr(torch, spec.dtype))
    assert torch.from_numpy(opened.nothing).equal(opened.encoder.prepare(blank))


@pytest.mark.parametrize("kind", MODALITIES)
def test_its_columns_may_be_neither_the_outcome_nor_an_identifier(kind: str) -> None:
    spec = registered(kind)
    study = load_study("uci-heart").model_copy(update={"modalities": {"x": spec}})
    apart = [place for place, rule, _ in faults(study) if "cannot be an input" in rule]
    assert apart == []
    for column in spec.cells:
        outcome = study.outcome.model_copy(update={"column": column})
        again = study.model_copy(update={"outcome": outcome})
        assert [place for place, rule, _ in faults(again) if "cannot be an input" in rule] == ["modalities.x"]


@pytest.mark.parametrize("kind", MODALITIES)
def test_one_reader_that_fails_is_one_patient_that_is_absent(kind: str, tmp_path: Path) -> None:
    def boom(case: Case) -> Reading:
        raise ValueError("SECRET")

    reader = replace(READERS[kind](registered(kind), Source(tmp_path)), look=boom)
    assert reader.read(Case("P1", {})) == Reading(None, (reader.unreadable,))
