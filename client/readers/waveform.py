"""Opens a recorded wave, WFDB, DICOM or CSV, as channels with their names, units and rate."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from client.readers.reading import OUTSIDE, file_fault, within

NO_SAMPLES = "the file of samples that the record's header names is not found"
NO_WAVE = "DICOM file has no waveform"
TOO_LONG = "record has more than 268 million samples"
NO_TIME = 'CSV of samples needs a column "time" in seconds, equally spaced'
LARGEST = 2**28  # samples of all channels


@dataclass(frozen=True)
class Wave:
    """``values`` (samples, channels) at ``rate`` Hz; a sample that was not recorded is NaN."""

    values: npt.NDArray[np.float64]
    rate: float
    names: tuple[str, ...]
    units: tuple[str, ...]


def record_files(path: Path) -> list[Path]:
    """The file that a cell names, or a WFDB record's header and the files that it names in turn."""
    header = path.with_name(path.name.removesuffix(".hea") + ".hea")
    if not header.is_file():
        return [path]
    words = [line.split()[0] for line in header.read_text(errors="replace").splitlines() if line.split()]
    named = [word if "." in word else f"{word}.dat" for word in words if Path(word).name == word]
    segments = [f"{word}.hea" for word in words if "." not in word and Path(word).name == word]
    return [header, *(header.with_name(name) for name in dict.fromkeys([*named, *segments]))]


def load_wave(path: Path, folder: Path, seconds: float) -> Wave | str:
    """The first ``seconds`` of a record, or the rule that it breaks; may raise for a bad file."""
    header = path.with_name(path.name.removesuffix(".hea") + ".hea")
    if path.suffix.lower() == ".hea" or not file_fault(header, folder):
        return file_fault(header, folder) or _wfdb(header, folder, seconds)
    if fault := file_fault(path, folder):
        return fault
    with path.open("rb") as file:
        return _dicom(path, seconds) if file.read(132)[128:] == b"DICM" else _samples(path, seconds)


def _wfdb(header: Path, folder: Path, seconds: float) -> Wave | str:
    import wfdb

    beside = record_files(header)[1:]  # wfdb itself refuses a header that names a file in another folder
    if not all(within(file, folder) for file in beside):
        return OUTSIDE
    signals, rate, length = _declared(header)
    until = min(length, int(np.ceil(seconds * rate)))
    if until * signals > LARGEST:
        return TOO_LONG
    try:
        record = wfdb.rdrecord(str(header.with_suffix("")), sampto=until)
    except FileNotFoundError:
        return NO_SAMPLES
    return Wave(record.p_signal, float(record.fs), tuple(map(str, record.sig_name)), tuple(map(str, record.units)))


def _declared(header: Path) -> tuple[int, float, int]:
    """Signals, Hz and samples a signal by the header's first line; wfdb takes as long for a header as for the rest."""
    lines = (line.split() for line in header.read_text(encoding="ascii", errors="replace").splitlines())
    words = next(line for line in lines if line and not line[0].startswith("#"))
    return int(words[1]), float(re.split("[/(]", words[2])[0]), int(words[3])


def _dicom(path: Path, seconds: float) -> Wave | str:
    """The first group of channels, as rhythm strips are; the median beats that often follow are another group."""
    import pydicom

    data = pydicom.dcmread(path)
    if "WaveformSequence" not in data or not data.WaveformSequence:
        return NO_WAVE
    group = data.WaveformSequence[0]
    if int(group.NumberOfWaveformChannels) * int(group.NumberOfWaveformSamples) > LARGEST:
        return TOO_LONG
    rate = float(group.SamplingFrequency)
    values = np.asarray(data.waveform_array(0), dtype=np.float64)[: int(np.ceil(seconds * rate))]
    names, units = [], []
    for channel in group.ChannelDefinitionSequence:
        names.append(str(channel.ChannelSourceSequence[0].CodeMeaning))
        unit = channel.get("ChannelSensitivityUnitsSequence")
        units.append(str(unit[0].CodeValue) if unit else "")
    return Wave(values, rate, tuple(names), tuple(units))


def _samples(path: Path, seconds: float) -> Wave | str:
    """A CSV file with a column for each channel, as "I" or "I [uV]", and one of times."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        header = [cell.strip() for cell in next(rows, [])]
        places = [place for place, name in enumerate(header) if re.fullmatch(r"time\W*(s|sec|seconds)?\W*", name, re.I)]
        if len(places) != 1 or len(header) < 2:
            return NO_TIME
        table: list[list[float]] = []
        for row in rows:
            table.append([float(cell) if cell.strip() else np.nan for cell in row])
            if len(table) * len(header) > LARGEST:
                return TOO_LONG
            if table[-1][places[0]] - table[0][places[0]] >= seconds:
                break
    values = np.array(table)
    time, steps = values[:, places[0]], np.diff(values[:, places[0]])
    if len(time) < 2 or not (steps > 0).all() or np.ptp(steps) > 0.01 * steps.mean() + 1e-6:
        return NO_TIME
    others = [place for place in range(len(header)) if place not in places]
    found: list[Any] = [re.fullmatch(r"(.*?)\s*[\[(](.+)[\])]", header[place]) for place in others]
    names = tuple(part.group(1) if part else header[place] for part, place in zip(found, others, strict=True))
    return Wave(values[:, others], 1 / steps.mean(), names, tuple(part.group(2) if part else "" for part in found))
