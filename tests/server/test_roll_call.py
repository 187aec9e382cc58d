"""Who is there: a hospital that was seen once counts, and one that never was is left out at the deadline."""

from collections.abc import Iterable, Iterator
from itertools import cycle

import pytest
from flwr.clientapp import ClientApp
from flwr.proto.node_pb2 import NodeInfo

from server.quorum import roll_call
from shared.errors import RunError
from simulations.in_process import FIRST_NODE, InProcessGrid

NAMES = ("east", "north", "west")


class Flickering(InProcessGrid):
    """Of its hospitals one or two are seen at a time, as with hundreds on a server with much work."""

    def __init__(self, turns: Iterator[Iterable[str]]) -> None:
        super().__init__(ClientApp(), {name: {} for name in NAMES})
        self._turns = turns

    def get_nodes(self) -> Iterable[NodeInfo]:
        """Those whose turn it is."""
        seen = set(next(self._turns))
        return [node for node in super().get_nodes() if node.name in seen]


def test_hospitals_need_not_be_seen_all_at_once() -> None:
    grid = Flickering(cycle([("north", "west"), ("east",), ()]))
    assert roll_call(grid, NAMES, 60.0) == {name: FIRST_NODE + place for place, name in enumerate(NAMES)}


def test_one_that_never_comes_is_left_out() -> None:
    assert list(roll_call(Flickering(cycle([("west",), ()])), NAMES, 0.3)) == ["west"]
    with pytest.raises(RunError, match="none of the study's hospitals"):
        roll_call(Flickering(cycle([()])), NAMES, 0.2)
