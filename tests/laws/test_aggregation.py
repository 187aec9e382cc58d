"""Laws of aggregation: exact where numbers are exact, whatever the order; the average of a stage is its last half."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.strategies.fedavg import fedavg
from server.updates import Updates
from server.weights import Averager
from shared.wire import Arrays

KEY = "encoders.a.weight"
REPLIES = st.lists(st.tuples(st.integers(1, 64), st.integers(-1000, 1000)), min_size=1, max_size=10)


def mean(replies: list[tuple[int, int]]) -> Arrays:
    with TemporaryDirectory() as folder:
        updates = Updates(Path(folder))
        for place, (weight, value) in enumerate(replies):
            updates.add(f"h{place}", float(weight), {KEY: np.float32([value])})
        return updates.moved({KEY: np.float32([0.0])}, fedavg, 1)


@given(replies=REPLIES, chance=st.randoms(use_true_random=False))
def test_the_mean_does_not_depend_on_the_order(replies: list[tuple[int, int]], chance: object) -> None:
    shuffled = list(replies)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert np.array_equal(mean(shuffled)[KEY], mean(replies)[KEY])
    exact = sum(w * v for w, v in replies) / sum(w for w, _ in replies)
    assert mean(replies)[KEY][0] == np.float32(exact)


@given(value=st.integers(-1000, 1000), weights=st.lists(st.integers(1, 64), min_size=1, max_size=8))
def test_hospitals_that_agree_are_believed(value: int, weights: list[int]) -> None:
    assert mean([(weight, value) for weight in weights])[KEY][0] == np.float32(value)


def test_a_stage_ends_with_the_mean_of_its_last_rounds() -> None:
    average = Averager(3, {})
    for number in range(1, 6):
        average.add(number, {KEY: np.float32([10.0**number])})
    assert average.mean({KEY: np.float32([0.0])})[KEY] == np.float32((1e3 + 1e4 + 1e5) / 3)
