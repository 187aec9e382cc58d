"""Named arrays as bytes: what the safetensors library writes, and reads; and a mapping that keeps them on the disk."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import load, save

from server.spool import Spool
from shared.tensors import TYPES, saved, weights_digest

SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=6).filter(lambda name: name != "__metadata__"),
    st.sampled_from(sorted(TYPES)).flatmap(lambda kind: arrays_of.arrays(np.dtype(kind), SHAPES)),
    max_size=6,
)


@given(arrays=ARRAYS, note=st.none() | st.text(max_size=20))
def test_the_bytes_are_the_librarys(arrays: dict[str, np.ndarray], note: str | None) -> None:
    metadata = None if note is None else {"note": note}
    content = saved(arrays, metadata)
    assert content == save({name: values.copy() for name, values in arrays.items()}, metadata)
    read = load(content)
    assert read.keys() == arrays.keys()
    for name, values in arrays.items():
        assert (read[name].dtype, read[name].shape) == (values.dtype, values.shape)
        assert read[name].tobytes() == values.tobytes()


@given(arrays=ARRAYS)
def test_arrays_come_back_from_the_disk_as_they_went(arrays: dict[str, np.ndarray]) -> None:
    with TemporaryDirectory() as folder:
        spool: Spool[str] = Spool(Path(folder))
        spool.update({name: np.zeros(3) for name in arrays})
        spool.update(arrays)
        assert set(spool) == set(arrays)
        assert weights_digest(spool) == weights_digest(arrays)
        for name, values in arrays.items():
            assert spool[name].dtype == values.dtype
            assert spool.part(name, 0, values.size // 2).tobytes() == values.reshape(-1)[: values.size // 2].tobytes()
        assert not list(Path(folder).iterdir()), "nobody finds what waits there"


def test_views_are_written_as_they_read_and_texts_are_not() -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert saved({"x": turned}) == saved({"x": turned.copy()})
    assert saved({"x": turned.astype(">f4")}) == saved({"x": turned})
    with pytest.raises(KeyError):
        saved({"x": np.array(["text"])})
