"""What a simulated hospital can be made to do wrong."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """What a hospital does wrong with tasks of kind ``on`` (in round ``round`` only, if given).

    ``fail`` crashes, ``unreachable`` has no agent that its courier could reach, ``late`` answers after the deadline,
    ``nonsense`` answers with arrays that are not numbers, ``huge`` with numbers a million times larger, ``swollen``
    with arrays a thousand times larger, ``flipped`` with the opposite of what it learned, ``stale`` with what it
    answered before, ``foreign`` with an answer of another study, ``untyped`` with what is no message of ours.
    """

    kind: Literal[
        "fail", "unreachable", "late", "nonsense", "huge", "swollen", "flipped", "stale", "foreign", "untyped"
    ]
    on: Literal["describe", "train", "tally-threshold", "evaluate"] = "train"
    round: int | None = None

    def hits(self, kind: str, number: int | None) -> bool:
        """Whether the fault strikes at a task of this kind, and round if it has one."""
        return kind == self.on and self.round in (None, number)
