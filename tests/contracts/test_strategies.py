"""Every strategy combines by parameter group over the hospitals that have it, whatever their order."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
import pytest

from server.strategies import STRATEGIES
from server.updates import PIECE, Updates
from shared.study import Training
from shared.wire import Arrays

SHAPES = {"encoders.a.weight": (4, 3), "encoders.a.bias": (4,), "heads.b.weight": (1, 2), "fusions.a+b.head.bias": (1,)}


def weights() -> Arrays:
    return arrays(0)


def arrays(seed: int, names: tuple[str, ...] = tuple(SHAPES)) -> Arrays:
    chance = np.random.default_rng(seed)
    return {name: chance.normal(size=SHAPES[name]).astype(np.float32) for name in names}


def averaged(name: str, replies: list[tuple[str, float, Arrays]], min_contributors: int = 1) -> Arrays:
    with TemporaryDirectory() as folder:
        updates = Updates(Path(folder))
        for reply in replies:
            updates.add(*reply)
        return updates.moved(weights(), STRATEGIES[name], min_contributors)


def test_the_registry_covers_exactly_what_a_study_may_name() -> None:
    assert set(get_args(Training.model_fields["strategy"].annotation)) == set(STRATEGIES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_single_hospitals_update_is_applied_exactly(name: str) -> None:
    update = arrays(1)
    new = averaged(name, [("north", 119.0, update)])
    for key, value in weights().items():
        assert new[key].dtype == value.dtype
        np.testing.assert_array_equal(new[key], value + update[key])


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_order_of_replies_does_not_matter(name: str) -> None:
    replies = [(f"h{number}", float(50 + number), arrays(number)) for number in range(1, 8)]
    forward, backward = averaged(name, replies), averaged(name, replies[::-1])
    for key in SHAPES:
        np.testing.assert_array_equal(forward[key], backward[key])


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_parameter_is_combined_piece_by_piece_as_if_at_once(name: str) -> None:
    chance = np.random.default_rng(3)
    large = {f"h{place}": chance.normal(size=(PIECE // 4 + 1, 9)).astype(np.float32) for place in range(5)}
    key = "encoders.a.weight"
    with TemporaryDirectory() as folder:
        updates = Updates(Path(folder))
        for site, update in large.items():
            updates.add(site, 1.0, {key: update})
        start = {key: np.zeros_like(large["h0"])}
        new = updates.moved(start, STRATEGIES[name], 1)[key]
    stack = np.stack(list(large.values())).astype(np.float64)
    wanted = {
        "fedavg": stack.mean(axis=0),
        "median": np.median(stack, axis=0),
        "trimmed-mean": np.sort(stack, axis=0)[1:-1].mean(axis=0),
        "krum": stack[nearest(stack)],
    }
    np.testing.assert_allclose(new, wanted[name], rtol=1e-6, atol=1e-7)
    assert not start[key].any()


def nearest(stack: np.ndarray) -> int:
    """Krum of five: the least sum of squared distances to two neighbours."""
    distances = np.square(stack[:, None] - stack[None]).sum(axis=(2, 3))
    return int(np.argmin(np.sort(distances, axis=1)[:, 1:3].sum(axis=1)))


def test_updates_of_another_order_of_size_are_rejected_whenever_they_arrive() -> None:
    with TemporaryDirectory() as folder:
        updates = Updates(Path(folder))
        sizes = {"a": 3e3, "b": 1.0, "c": 2.0, "d": 5e7, "e": 0.0, "f": 1.5}
        for site, size in sizes.items():
            updates.add(site, 1.0, {"encoders.a.bias": np.full(4, size, np.float32)} if size else {})
        rejected = updates.reject_outsized()
        assert [one.site for one in rejected] == ["d", "a"]
        assert rejected[1].times == pytest.approx(3e3 / 1.5)
        assert updates.sites == ["b", "c", "e", "f"]
        assert updates.contributors == {"a": ["b", "c", "f"]}
        assert updates.reject_outsized() == []


@pytest.mark.parametrize("name", ["fedavg"])
def test_the_mean_is_weighted_and_summed_in_double_precision(name: str) -> None:
    key, many = "fusions.a+b.head.bias", 3000
    replies = [(f"h{number}", float(1 + number % 3), {key: np.float32([1000.1])}) for number in range(many)]
    replies.append(("last", 6000.0, {key: np.float32([-1000.1])}))
    new = averaged(name, replies)[key].astype(np.float64) - weights()[key]
    np.testing.assert_allclose(new, [0.0], atol=1e-6)  # single precision is off by more than 1e-3
    unequal = [("a", 3.0, {key: np.float32([1.0])}), ("b", 1.0, {key: np.float32([5.0])})]
    np.testing.assert_allclose(averaged(name, unequal)[key], weights()[key] + 2.0, rtol=1e-6)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_group_is_combined_over_the_hospitals_that_have_it(name: str) -> None:
    own = ("heads.b.weight",)
    replies = [("north", 10.0, arrays(1)), ("west", 30.0, arrays(2, own)), ("east", 60.0, arrays(3, own))]
    new = averaged(name, replies)
    np.testing.assert_allclose(
        new["encoders.a.bias"], weights()["encoders.a.bias"] + arrays(1)["encoders.a.bias"], rtol=1e-6
    )
    alone = averaged(name, [(site, weight, {own[0]: update[own[0]]}) for site, weight, update in replies])
    np.testing.assert_array_equal(new[own[0]], alone[own[0]])


def test_federated_averaging_weighs_hospitals_by_their_declared_patients() -> None:
    own = ("heads.b.weight",)
    replies = [("north", 10.0, arrays(1, own)), ("west", 30.0, arrays(2, own)), ("east", 60.0, arrays(3, own))]
    mean = (10 * arrays(1, own)[own[0]] + 30 * arrays(2, own)[own[0]] + 60 * arrays(3, own)[own[0]]) / 100
    np.testing.assert_allclose(averaged("fedavg", replies)[own[0]], weights()[own[0]] + mean, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"fedavg"}))
def test_two_of_seven_hospitals_that_flip_their_signs_cannot_steer_a_robust_strategy(name: str) -> None:
    right = {key: np.full(shape, 1.0, dtype=np.float32) for key, shape in SHAPES.items()}
    chance = np.random.default_rng(0)
    honest = [{k: v + 0.1 * chance.normal(size=v.shape).astype(np.float32) for k, v in right.items()} for _ in range(5)]
    flipped = [{key: -50 * value for key, value in right.items()} for _ in range(2)]
    replies = [(f"h{place}", 1.0, update) for place, update in enumerate([*honest, *flipped])]
    for key, value in weights().items():
        np.testing.assert_allclose(averaged(name, replies)[key] - value, 1.0, atol=0.35)
        assert np.all(averaged("fedavg", replies)[key] - value < -5)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_group_with_too_few_contributors_stays_as_it_was(name: str) -> None:
    replies = [("north", 10.0, arrays(1)), ("west", 30.0, arrays(2, ("heads.b.weight",)))]
    new = averaged(name, replies, min_contributors=2)
    for key, value in weights().items():
        assert np.array_equal(new[key], value) == (key != "heads.b.weight")
