"""Reads one patient's wave: leads chosen by name, in the declared unit, rate, length and range."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from client.readers.reading import OUTSIDE, Case, Reader, Reading, Source, path_in, within
from client.readers.waveform import Wave, load_wave, record_files
from shared.modalities.signal import Signal

UNREADABLE = "record is truncated or not WFDB, DICOM or CSV"
NO_LEAD = "record has none of the leads"
GAPS = "samples that were not recorded, read as zero"
RATE = "record's sampling rate is not usable"
FINEST = 1000  # largest factor of the resampling
VOLTS = {"v": 1.0, "mv": 1e-3, "uv": 1e-6, "µv": 1e-6, "μv": 1e-6, "nv": 1e-9}
ALIASES = {"mlii": "ii", "mli": "i", "mliii": "iii", "di": "i", "dii": "ii", "diii": "iii", "d1": "i", "d2": "ii"}
ALIASES |= {"d3": "iii", "1": "i", "2": "ii", "3": "iii", "c1": "v1", "c2": "v2", "c3": "v3", "c4": "v4", "c5": "v5"}
ALIASES |= {"c6": "v6", "resp.": "resp", "ppg": "pleth", "abp": "art"}


def open_signal(spec: Signal, source: Source) -> Reader:
    """Reads (leads, samples) in [-1, 1] from the record that a column names.

    A lead is found by its name without regard to capitals, prefixes as in "Lead II", and other names (MLII, DII).
    """

    def look(case: Case) -> Reading:
        path = path_in(case, spec.path, source.folder)
        if path is None:
            return Reading(None)
        if not within(path, source.folder):
            return Reading(None, (OUTSIDE,))
        wave = load_wave(path, source.folder, spec.seconds)
        return Reading(None, (wave,)) if isinstance(wave, str) else _reading(spec, wave)

    def files(case: Case) -> list[Path]:
        path = path_in(case, spec.path, source.folder)
        return record_files(path) if path and within(path, source.folder) else []

    return Reader(look, UNREADABLE, files)


def plain_lead(name: str) -> str:
    """A lead's bare name: "Lead II", "ECG II", "MDC_ECG_LEAD_II" and "MLII" are "ii"."""
    bare = re.sub(r"\(.*?\)|mdc_ecg_lead_|\b(lead|ecg|ekg)\b|[\s_\-]", "", name.lower())
    return ALIASES.get(bare, bare)


def _reading(spec: Signal, wave: Wave) -> Reading:
    places = {plain_lead(name): place for place, name in reversed(list(enumerate(wave.names)))}
    tensor, faults, found = np.zeros(spec.shape, dtype=np.float32), [], False
    if not 0.1 <= wave.rate <= 1e6:
        return Reading(None, (RATE,))
    for row, lead in enumerate(spec.leads):
        place = places.get(plain_lead(lead))
        if place is None:
            faults.append(f"{lead}: no such lead in the record")
            continue
        factor = _factor(wave.units[place], spec.unit)
        if factor is None:
            faults.append(f"{lead}: its unit is not {spec.unit}, and cannot be converted to it")
            continue
        values = factor * wave.values[:, place]
        if not np.isfinite(values).any():
            faults.append(f"{lead}: nothing was recorded")
            continue
        faults += [GAPS] if not np.isfinite(values).all() and GAPS not in faults else []
        shaped = _resampled(spec, values, wave.rate)
        tensor[row, : len(shaped)] = shaped
        found = True
    return Reading(torch.from_numpy(tensor), tuple(faults)) if found else Reading(None, (*faults, NO_LEAD))


def _factor(unit: str, declared: str) -> float | None:
    """What a file's numbers are multiplied by; a file without a unit has the declared one."""
    unit, wanted = unit.strip().lower(), declared.strip().lower()
    if not wanted or unit in ("", wanted):
        return 1.0
    return VOLTS[unit] / VOLTS[wanted] if unit in VOLTS and wanted in VOLTS else None


def _resampled(spec: Signal, values: Any, rate: float) -> Any:
    """One lead in the declared range and rate, (samples,) or shorter; gaps are zeros."""
    from scipy.signal import resample_poly

    low, high = spec.range
    scaled = np.nan_to_num(2 * (values - low) / (high - low) - 1, nan=0.0, posinf=1.0, neginf=-1.0)
    ratio = Fraction(spec.rate / rate).limit_denominator(FINEST)
    if ratio != 1:
        scaled = resample_poly(scaled, ratio.numerator, ratio.denominator, padtype="line")
    return np.clip(scaled, -1, 1)[: spec.shape[1]]
