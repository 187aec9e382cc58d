"""Every registered metric is an additive tally: of(a) + of(b) == of(a ++ b), to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.metrics import METRICS
from shared.metrics.tally import Floats

PATIENT = st.tuples(st.integers(0, 1), st.floats(-1e30, 1e30) | st.floats(-12, 12))
GROUP = st.lists(PATIENT, max_size=30)
Group = list[tuple[int, float]]


def columns(patients: Group) -> tuple[Floats, Floats]:
    return np.array([o for o, _ in patients], dtype=np.float64), np.array([s for _, s in patients], dtype=np.float64)


@pytest.mark.parametrize("name", METRICS)
@given(a=GROUP, b=GROUP)
def test_two_tallies_add_up_to_the_tally_of_all(name: str, a: Group, b: Group) -> None:
    tally = METRICS[name]
    assert tally.of(*columns(a)) + tally.of(*columns(b)) == tally.of(*columns(a + b))


@pytest.mark.parametrize("name", METRICS)
@given(a=GROUP, b=GROUP, c=GROUP)
def test_the_order_of_sites_and_patients_does_not_matter(name: str, a: Group, b: Group, c: Group) -> None:
    tally = METRICS[name]
    x, y, z = (tally.of(*columns(group)) for group in (a, b, c))
    assert x + y == y + x
    assert (x + y) + z == x + (y + z)
    assert tally.of(*columns(a[::-1])) == x


@pytest.mark.parametrize("name", METRICS)
@given(a=GROUP)
def test_a_tally_depends_on_its_patients(name: str, a: Group) -> None:
    tally = METRICS[name]
    assert tally.of(*columns([*a, (1, 0.5)])) != tally.of(*columns(a))
