"""A registered modality has a reader and encoders, and a study may name exactly those."""

from typing import get_args

import pytest

from client.readers import READERS
from shared.encoders import ENCODERS
from shared.modalities import MODALITIES


def test_every_modality_has_a_reader_and_encoders() -> None:
    assert set(READERS) == set(MODALITIES) == set(ENCODERS)


@pytest.mark.parametrize("kind", MODALITIES)
def test_a_modality_is_named_by_its_kind_and_its_encoders_are_registered(kind: str) -> None:
    fields = MODALITIES[kind].model_fields
    assert get_args(fields["kind"].annotation) == (kind,)
    assert set(get_args(fields["encoder"].annotation)) == set(ENCODERS[kind])
    assert fields["encoder"].default in ENCODERS[kind]
