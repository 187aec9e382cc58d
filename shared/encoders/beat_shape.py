"""Fixed features of a recorded wave with one trained matrix: powers of bands, the mean beat, and its rhythm."""

from math import log
from typing import Protocol

import torch
from torch import Tensor

from shared.encoders.base import FixedFeatures, Spec, softened
from shared.encoders.beats import POINTS, find_beats, rhythm

BANDS = ((0.5, 4.0), (4.0, 8.0), (8.0, 15.0), (15.0, 30.0), (30.0, 45.0))  # Hz; what a rate cannot hold is empty
BEAT = 0.06  # a usual height of a beat's waves, as a part of half the declared range
TYPICAL, FOLD = log(0.02), log(4.0)  # a usual amplitude of a band, and the factor that counts as one
RHYTHM = ((1.2, 0.35), (0.06, 0.08), (0.04, 0.06), (0.05, 0.1))  # usual value and spread (Task Force, EHJ 1996)
TINY = 1e-4


class SignalSpec(Spec, Protocol):
    """A section with a sampling rate."""

    @property
    def rate(self) -> float:
        """Samples per second."""


class BeatShape(FixedFeatures):
    """(patients, features) of ``wave_features`` to (patients, width)."""

    def __init__(self, spec: SignalSpec) -> None:
        super().__init__(spec.shape[0] * (POINTS + len(BANDS)) + len(RHYTHM), spec.width)
        self.rate = spec.rate

    def prepare(self, raw: Tensor) -> Tensor:
        """Fixed features: (leads, samples) in [-1, 1] to (features,)."""
        return wave_features(raw, self.rate)


def wave_features(wave: Tensor, rate: float) -> Tensor:
    """Features of one record, about one in size: (leads, samples) to (features,), in (-3, 3).

    A lead that is absent (zeros) has no height and the least power.
    """
    beats = find_beats(wave, rate)
    centres, scales = torch.tensor(RHYTHM).T
    paced = (rhythm(beats.peaks, rate, wave.shape[1]) - centres) / scales
    return softened(torch.cat([(beats.mean / BEAT).flatten(), _powers(wave, rate).flatten(), paced]))


def _powers(wave: Tensor, rate: float) -> Tensor:
    """Log amplitude of each band of each lead: (leads, bands)."""
    spectrum = torch.fft.rfft(wave - wave.mean(1, keepdim=True), norm="forward").abs().square() * 2
    frequency = torch.fft.rfftfreq(wave.shape[1], 1 / rate)
    amplitudes = [spectrum[:, (frequency >= low) & (frequency < high)].sum(1).sqrt() for low, high in BANDS]
    return ((torch.stack(amplitudes, dim=1) + TINY).log() - TYPICAL) / FOLD
