"""A study whose validation patients have a budget, and what hospitals reply to it."""

from pathlib import Path

from shared.study import Study
from shared.wire import Envelope, Evaluated, Refused
from tests.small import small_study

BUDGET = "privacy.validation={epsilon=2.0, delta=1e-5}"


def noised_study(folder: Path, *overrides: str) -> Study:
    """The small study with a budget for validation patients."""
    return small_study(folder, BUDGET, *overrides)


def answered(reply: Envelope) -> Evaluated:
    """The header of a reply that has figures."""
    assert isinstance(reply.header, Evaluated), reply.header
    return reply.header


def refusal(reply: Envelope) -> str:
    """The code with which a task was refused."""
    assert isinstance(reply.header, Refused), reply.header
    return reply.header.code
