"""Heart beats in a recorded wave: where the R peaks are, the mean beat around them, and its rhythm.

The detector follows Pan and Tompkins (IEEE Trans Biomed Eng 1985): slopes of the band-passed wave, squared, smoothed,
and peaks above a threshold that the record itself gives. Everything is of one record; nothing is learned.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

BAND = (5.0, 18.0)  # Hz in which the QRS complex stands out
SMOOTH = 0.12  # s, about a QRS complex
REFRACTORY = 0.25  # s in which no second beat begins
STEP, PEAK, POINTS = 0.02, 12, 35  # s between points of a beat, which of them is the R peak, and how many there are


@dataclass(frozen=True)
class Beats:
    """Samples of the R peaks (beats,), and the mean beat of each lead (leads, POINTS); no beats: zeros."""

    peaks: Tensor
    mean: Tensor


def find_beats(wave: Tensor, rate: float) -> Beats:
    """Beats of one record: (leads, samples), ``rate`` in Hz."""
    peaks = _peaks(wave, rate)
    samples = (torch.arange(POINTS) - PEAK) * STEP * rate
    whole = peaks[(peaks + samples[0] >= 0) & (peaks + samples[-1] < wave.shape[1] - 1)]
    if not len(whole):
        return Beats(peaks, wave.new_zeros(wave.shape[0], POINTS))
    places = whole[:, None] + samples[None, :]
    below = places.floor().long()
    part = places - below
    beats = wave[:, below] * (1 - part) + wave[:, below + 1] * part  # (leads, beats, points)
    usual = beats.median(1).values  # not the mean: an ectopic beat or a jump of one electrode must not shape it
    return Beats(peaks, usual - usual.median(1, keepdim=True).values)


def _peaks(wave: Tensor, rate: float) -> Tensor:
    """Samples of the R peaks."""
    quick = band(wave, rate, *BAND)
    quick = quick / quick.square().mean(1, keepdim=True).sqrt().clamp(min=1e-9)  # each lead has one voice
    slopes = quick.diff(dim=1, prepend=quick[:, :1]).square().mean(0)
    width = max(1, round(SMOOTH * rate)) | 1
    energy = functional.avg_pool1d(slopes.view(1, 1, -1), width, 1, width // 2, count_include_pad=False).flatten()
    reach = max(1, round(REFRACTORY * rate))
    highest = functional.max_pool1d(energy.view(1, 1, -1), 2 * reach + 1, 1, reach).flatten()
    enough = 0.3 * highest.quantile(0.5)
    found = ((energy == highest) & (energy > enough) & (energy > 1e-12)).nonzero().flatten()
    found = found[found.diff(prepend=found.new_tensor([-reach])) > reach // 2]
    return _at_the_top(quick.abs().mean(0), found, max(1, width // 2))


def _at_the_top(height: Tensor, found: Tensor, reach: int) -> Tensor:
    """Move each peak to the highest place near it."""
    if not len(found):
        return found
    near = (found[:, None] + torch.arange(-reach, reach + 1)).clamp(0, len(height) - 1)
    tops: Tensor = near.gather(1, height[near].argmax(1, keepdim=True)).flatten()
    return tops


def band(wave: Tensor, rate: float, low: float, high: float) -> Tensor:
    """The part of each lead between two frequencies in Hz, by a smooth mask of its Fourier transform."""
    frequency = torch.fft.rfftfreq(wave.shape[1], 1 / rate)
    mask = 1 / (1 + (low / frequency.clamp(min=1e-6)) ** 4) / (1 + (frequency / high) ** 4)
    part: Tensor = torch.fft.irfft(torch.fft.rfft(wave) * mask, n=wave.shape[1])
    return part


def rhythm(peaks: Tensor, rate: float, samples: int) -> Tensor:
    """Rate (per second), its spread, the spread of successive differences, the share of early beats: (4,)."""
    gaps = peaks.diff().float() / rate
    if len(gaps) < 2:
        return torch.tensor([len(peaks) * rate / samples, 0.0, 0.0, 0.0])
    usual = gaps.median()
    successive = gaps.diff().abs()
    early = (gaps < 0.8 * usual).float().mean()
    return torch.stack([1 / usual.clamp(min=0.2), gaps.std() / usual, successive.median() / usual, early])
