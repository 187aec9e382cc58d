"""One hidden factor a patient, which raises the odds of the event and shows in his data as each kind can show it.

It shows so clearly that little of what the oracle knows is lost in the data: a share is about the encoder.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.encoder_samples import section

STRENGTH = 2.5  # log odds a standard deviation of the factor
FILLER = [f"word{number}" for number in range(40)]
RAISED, LOWERED = ["effusion", "fever", "dyspnoea", "infiltrate"], ["unremarkable", "normal", "clear", "stable"]


@dataclass(frozen=True)
class Patients:
    """Raw tensors (patients, *shape), outcome (patients,), and the factor (patients,) that an oracle knows."""

    raw: list[Tensor]
    outcome: Tensor
    factor: Tensor


def invent(kind: str, patients: int, seed: int) -> Patients:
    """Patients of a kind, of the shapes of ``SIZES``."""
    chance = torch.Generator().manual_seed(seed)
    factor = torch.randn(patients, generator=chance)
    outcome = (torch.rand(patients, generator=chance) < (STRENGTH * factor).sigmoid()).float()
    return Patients([SHOWN[kind](float(value), chance) for value in factor], outcome, factor)


def _table(factor: float, chance: torch.Generator) -> Tensor:
    return 0.08 * torch.randn(4, generator=chance) + factor * torch.tensor([0.2, -0.2, 0.1, 0.0])


def _series(factor: float, chance: torch.Generator) -> Tensor:
    """One variable rises with the factor; four tenths of all steps lack a measurement."""
    time = torch.linspace(-1, 1, 12).unsqueeze(1)
    noise = torch.randn(12, 3, generator=chance)
    mean = 0.08 * noise + torch.tensor([0.25, 0.0, 0.0]) * factor * time + 0.1 * torch.randn(3, generator=chance)
    seen = (torch.rand(12, 3, generator=chance) < 0.6).float()
    return torch.stack([mean * seen, (mean - 0.05) * seen, (mean + 0.05) * seen, seen], dim=-1)


def _signal(factor: float, chance: torch.Generator) -> Tensor:
    """Beats at irregular times; the height of the wave after the peak falls with the factor."""
    rate, samples = 100.0, 800
    time = torch.arange(samples) / rate
    wave = torch.zeros(2, samples)
    beat = 0.3 * float(torch.rand((), generator=chance))
    pace = 0.7 + 0.3 * float(torch.rand((), generator=chance))
    while beat < samples / rate:
        peak = 0.25 * torch.exp(-0.5 * ((time - beat) / 0.012) ** 2)
        after = (0.06 - 0.03 * factor) * torch.exp(-0.5 * ((time - beat - 0.28) / 0.04) ** 2)
        wave += torch.stack([peak + after, 0.7 * peak + 0.8 * after])
        beat += pace * (1 + 0.05 * float(torch.randn((), generator=chance)))
    drift = 0.05 * torch.sin(2 * math.pi * (0.2 * time + torch.rand((), generator=chance)))
    return (wave + drift + 0.01 * torch.randn(2, samples, generator=chance)).clamp(-1, 1)


def _smooth(shape: tuple[int, ...], sigma: float, chance: torch.Generator) -> Tensor:
    """A smooth random field of size one."""
    field = torch.randn(shape, generator=chance)
    frequencies = torch.meshgrid(*(torch.fft.fftfreq(side) for side in shape), indexing="ij")
    squares = torch.stack([frequency.square() for frequency in frequencies]).sum(0)
    field = torch.fft.ifftn(torch.fft.fftn(field) * torch.exp(-2 * (math.pi * sigma) ** 2 * squares)).real
    return field / field.std()


def _lump(shape: tuple[int, ...], radius: float, chance: torch.Generator, spread: float = 0.1) -> Tensor:
    """A round lump of height one near the middle."""
    axes = [torch.arange(side) - side * (0.5 + spread * float(torch.randn((), generator=chance))) for side in shape]
    squares = torch.stack([axis.square() for axis in torch.meshgrid(*axes, indexing="ij")]).sum(0)
    return torch.exp(-0.5 * squares / radius**2)


def _image(factor: float, chance: torch.Generator) -> Tensor:
    """Brighter in a lump and rougher with the factor."""
    tissue = 0.45 + 0.06 * _smooth((32, 32), 4.0, chance)
    rough = 0.04 * math.exp(0.5 * factor) * _smooth((32, 32), 1.0, chance)
    return (tissue + rough + (0.15 + 0.08 * factor) * _lump((32, 32), 4.0, chance)).clamp(0, 1).unsqueeze(0)


def _volume(factor: float, chance: torch.Generator) -> Tensor:
    tissue = 0.55 + 0.015 * _smooth((24, 24, 20), 2.0, chance) + 0.03 * torch.randn(24, 24, 20, generator=chance)
    lump = _lump((24, 24, 20), 2.5 * math.exp(0.2 * factor), chance, 0.05)
    return (tissue + (0.11 + 0.05 * factor) * lump).clamp(0, 1).unsqueeze(0)


def _bag(factor: float, chance: torch.Generator) -> Tensor:
    """Three of four pictures; a whitish patch in each, larger with the factor."""
    bag = torch.zeros(4, 3, 32, 32)
    mucosa = torch.tensor([0.55, 0.3, 0.28]).view(3, 1, 1)
    white = torch.tensor([0.7, 0.6, 0.58]).view(3, 1, 1)
    for place in range(3):
        patch = _lump((32, 32), 6 * math.exp(0.2 * factor), chance)
        light = 1 + 0.2 * _smooth((32, 32), 3.0, chance) + 0.1 * torch.randn(32, 32, generator=chance)
        bag[place] = ((mucosa * (1 - patch) + white * patch) * light).clamp(0, 1)
    return bag


def _text(factor: float, chance: torch.Generator) -> Tensor:
    words = []
    for _ in range(40):
        if torch.rand((), generator=chance) < 0.6:
            bad = torch.rand((), generator=chance) < 1 / (1 + math.exp(-2 * factor))
            among = RAISED if bad else LOWERED
        else:
            among = FILLER
        words.append(among[int(torch.randint(len(among), (), generator=chance))])
    content = " ".join(words).encode()[:512]
    return torch.tensor([*content, *[0] * (512 - len(content))], dtype=torch.uint8)


def _codes(factor: float, chance: torch.Generator) -> Tensor:
    """Of a hundred codes some are drawn more often with the factor, and some less."""
    count = 20 + int(torch.randint(20, (), generator=chance))
    often = torch.arange(100) % 10
    odds = (1.5 * torch.where(often == 0, factor, torch.where(often == 1, -factor, 0.0))).exp()
    drawn = torch.multinomial(odds, count, generator=chance)
    return torch.cat([1 + drawn * 2_000_003, torch.zeros(48 - count, dtype=torch.long)])


def _bytes(factor: float, chance: torch.Generator) -> Tensor:
    """A short pattern comes again more often with the factor."""
    values = torch.randint(64, (160,), generator=chance)
    pattern = torch.tensor([22, 3, 1])
    starts = torch.arange(0, 156, 6)
    for start in starts[torch.rand(len(starts), generator=chance) < 1 / (1 + math.exp(-1.5 * factor))].tolist():
        values[start : start + 3] = pattern
    return torch.cat([values + 1, torch.zeros(32, dtype=torch.long)]).to(torch.int16)


def _grid(factor: float, chance: torch.Generator) -> Tensor:
    """A shower that moves, and grows or fades with the factor."""
    start, speed = 16 * torch.rand(2, generator=chance), torch.randn(2, generator=chance)
    axis = torch.arange(16.0)
    frames = []
    for step in range(6):
        centre = (start + step * speed).remainder(16)
        apart = [((axis - middle + 8).remainder(16) - 8).square() for middle in centre]
        height = 0.4 * math.exp(0.15 * factor * (step - 2.5))
        frames.append(height * torch.exp(-0.5 * (apart[0][:, None] + apart[1][None, :]) / 6))
    grid = torch.stack(frames) + 0.01 * torch.randn(6, 16, 16, generator=chance)
    return grid.clamp(0, 1).unsqueeze(1)


SHOWN: dict[str, Callable[[float, torch.Generator], Tensor]] = {
    "tabular": _table,
    "series": _series,
    "signal": _signal,
    "image": _image,
    "volume": _volume,
    "bag": _bag,
    "text": _text,
    "concepts": _codes,
    "bytes": _bytes,
    "grid": _grid,
}
NUMBERS = {name: {"range": (0.0, 1.0)} for name in "abcd"}
SIZES = {
    "tabular": {"numeric": NUMBERS, "categorical": {}, "indicators": False},
    "series": {"variables": {name: {"range": (0.0, 1.0)} for name in "abc"}, "steps": 12},
    "signal": {"rate": 100.0, "seconds": 8.0},
    "image": {"shape": (1, 32, 32)},
    "volume": {"shape": (24, 24, 20)},
    "bag": {"items": 4, "shape": (3, 32, 32)},
    "text": {"length": 512, "tokens": 48},
    "concepts": {"items": 48},
    "bytes": {"length": 192},
    "grid": {"frames": 6, "shape": (1, 16, 16)},
}


def invented_section(kind: str, name: str, **options: object) -> object:
    """The section of a study for these patients."""
    return section(kind, name, **{**SIZES[kind], **options})
