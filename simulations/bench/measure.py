"""Times the variants of a case in turn and compares them within a turn; processor time, which others do not share."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import torch

from simulations.bench.cases import Case
from simulations.bench.steps import VARIANTS, faults, fresh, other_mode, planned


@dataclass(frozen=True)
class Ratio:
    """A private step's time over another's, turn by turn: median, lowest, highest."""

    middle: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Verdict:
    """A bar, and whether the median of the ratios met it."""

    against: str
    limit: float
    met: bool


@dataclass(frozen=True)
class Row:
    """One case: milliseconds a step (median), ratios and verdicts by variant; ``faults`` of those not timed."""

    name: str
    patients: int
    steps: int
    parameters: int
    other_mode: str
    milliseconds: dict[str, float]
    ratios: dict[str, Ratio]
    verdicts: list[Verdict]
    faults: dict[str, str]


def measure(case: Case, repeats: int, turn: Callable[[], None] = lambda: None) -> Row:
    """Measure a case by ``repeats`` turns after one to warm up; a variant that computes another sum is left out."""
    wrong = {name: fault for name, fault in faults(case).items() if fault}
    models = {name: fresh(case) for name in VARIANTS if name not in wrong}
    steps = {name: VARIANTS[name](case, model, planned(case)) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(1 + repeats):
        for name, step in steps.items():
            begun = time.process_time()
            step()
            if number:
                seconds[name].append((time.process_time() - begun) / case.study.training.steps)
        turn()
    ratios = {name: _ratio(seconds["private"], values) for name, values in seconds.items() if name != "private"}
    limits = {"plain": case.plain, "hooks": case.hooks}
    return Row(
        name=case.name,
        patients=case.patients,
        steps=case.study.training.steps,
        parameters=sum(value.numel() for value in models["private"].parameters() if value.requires_grad),
        other_mode=other_mode(case),
        milliseconds={name: 1000 * median(values) for name, values in seconds.items()},
        ratios=ratios,
        verdicts=[Verdict(n, limit, ratios[n].middle <= limit) for n, limit in limits.items() if n in ratios],
        faults=wrong,
    )


@contextmanager
def single_thread() -> Iterator[None]:
    """One thread, as a hospital's process has; what it was is put back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _ratio(ours: list[float], theirs: list[float]) -> Ratio:
    turns = [own / their for own, their in zip(ours, theirs, strict=True)]
    return Ratio(median(turns), min(turns), max(turns))
