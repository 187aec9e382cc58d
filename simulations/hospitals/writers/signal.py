"""Writes a patient's electrocardiogram as a WFDB record: shapes of the beat and their rhythm show the latent.

Waves are sums of Gaussian bumps, as in McSharry and others (2003), projected onto the leads. With the latent the ST
segment sinks, T flattens, R grows (strain of the left ventricle), QRS and QT widen and the heart beats faster.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from shared.modalities.signal import Signal
from simulations.hospitals.device import device
from simulations.hospitals.writers.sight import Files, Sight

Floats = NDArray[np.float64]
FEWEST = 100.0  # samples a second of a record
GAIN = 1000.0  # counts a millivolt
# Height (mV) of P, Q, R, S, T by lead, as in a healthy adult.
HEIGHTS = {
    "I": (0.08, -0.05, 0.60, -0.10, 0.18),
    "II": (0.14, -0.06, 1.00, -0.18, 0.28),
    "III": (0.07, -0.05, 0.45, -0.12, 0.12),
    "AVR": (-0.11, 0.05, -0.80, 0.14, -0.23),
    "AVL": (0.03, -0.04, 0.25, -0.06, 0.06),
    "AVF": (0.10, -0.05, 0.70, -0.15, 0.20),
    "V1": (0.06, 0.0, 0.22, -0.85, -0.06),
    "V2": (0.07, 0.0, 0.40, -1.25, 0.35),
    "V3": (0.07, -0.02, 0.75, -0.90, 0.42),
    "V4": (0.08, -0.06, 1.35, -0.50, 0.40),
    "V5": (0.08, -0.08, 1.40, -0.25, 0.33),
    "V6": (0.08, -0.08, 1.05, -0.10, 0.26),
}  # fmt: skip
LATERAL = {
    "I": 0.8,
    "AVL": 0.8,
    "V4": 0.7,
    "V5": 1.0,
    "V6": 1.0,
    "II": 0.5,
    "V3": 0.3,
    "AVR": -0.6,
    "V1": -0.3,
    "V2": -0.1,
}
PLACES = np.array([-0.17, -0.035, 0.0, 0.035, 0.29])  # s after R
WIDTHS = np.array([0.022, 0.009, 0.012, 0.011, 0.050])  # s


def write_signal(spec: Signal, sight: Sight) -> Files:
    """One record, ``unit``.hea and .dat, with the study's leads."""
    rate = max(FEWEST, float(spec.rate))
    path = f"{sight.name}/{sight.unit}"
    _save(sight.place(path), spec.leads, rate, _record(spec.leads, rate, spec.seconds, sight))
    return Files({spec.path: path})


def _save(path: Path, leads: tuple[str, ...], rate: float, waves: Floats) -> None:
    """A record in WFDB's format 16; by hand, as the library's writer takes ten times as long as all the rest."""
    counts = np.clip(np.round(waves * GAIN), -32767, 32767).astype("<i2")
    sums = counts.sum(axis=0, dtype=np.int64).astype(np.int16)
    head = [f"{path.name} {len(leads)} {rate:g} {len(counts)}"]
    for lead, first, checksum in zip(leads, counts[0], sums, strict=True):
        head.append(f"{path.name}.dat 16 {GAIN:g}(0)/mV 16 0 {first} {checksum} 0 {lead}")
    path.with_name(f"{path.name}.dat").write_bytes(counts.tobytes())
    path.with_name(f"{path.name}.hea").write_text("\n".join(head) + "\n", encoding="ascii")


def _record(leads: tuple[str, ...], rate: float, seconds: float, sight: Sight) -> Floats:
    """(samples, leads) in millivolts."""
    rng, latent = sight.rng, sight.latent
    time = np.arange(round(rate * seconds)) / rate
    beats = _beats(seconds, 76 + 6 * latent + rng.normal(0, 3), rng)
    stretch = 1 + 0.05 * latent + rng.normal(0, 0.015)
    near = time[:, None] - beats[None, :]  # (samples, beats)
    late = near / stretch
    bumps = np.stack(
        [
            np.exp(-0.5 * (((late if wave > 2 else near) - place) / (width * (stretch if wave else 1))) ** 2).sum(
                axis=1
            )
            for wave, (place, width) in enumerate(zip(PLACES, WIDTHS, strict=True))
        ]
    )
    plateau = (expit((late - 0.06) / 0.012) * expit((0.25 - late) / 0.03)).sum(axis=1)
    size = float(np.exp(rng.normal(0, 0.08)))
    machine = device("ecg", sight.site, sight.scanner)
    record = np.empty((len(time), len(leads)))
    for place, lead in enumerate(leads):
        side = LATERAL.get(lead.upper(), 0.0)
        heights = np.array(HEIGHTS.get(lead.upper(), HEIGHTS["II"])) * size
        heights[2] *= 1 + 0.12 * latent * abs(side)
        heights[4] -= side * (0.10 * latent)
        wander = 0.05 * np.sin(2 * np.pi * (0.25 * time + rng.random())) + 0.02 * rng.standard_normal()
        noise = (machine.noise * 1.5) * rng.standard_normal(len(time)) + 0.006 * np.sin(2 * np.pi * 50 * time)
        wave = heights @ bumps - side * (0.045 * latent + 0.01) * plateau
        record[:, place] = machine.gain * wave + wander + noise
    return record


def _beats(seconds: float, rate: float, rng: np.random.Generator) -> Floats:
    """Times of the R waves (s), from before the record's start to after its end."""
    mean = 60 / float(np.clip(rate, 40, 160))
    gaps = mean * np.exp(rng.normal(0, 0.03, int(seconds / mean * 1.6) + 6))
    return np.asarray(np.cumsum(gaps) - mean * (1 + rng.random()))
