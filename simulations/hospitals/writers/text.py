"""Writes a patient's notes: a cell, files, or rows of a table; how findings are worded shows the latent."""

from collections.abc import Sequence
from itertools import pairwise

from shared.modalities.text import Text
from shared.simulated import LOOKS
from simulations.hospitals.coding import differs
from simulations.hospitals.grades import graded
from simulations.hospitals.phrases import BANKS
from simulations.hospitals.writers.sight import Files, Sight

OMITTED = 0.04  # share of findings that a writer does not mention
SHORT = {"patient": "pt", "without": "w/o", "with": "w/", "blood pressure": "BP", "nodule": "nod.", "moderate": "mod."}


def write_text(spec: Text, sight: Sight) -> Files:
    """One document, or where the study reads several notes, its sentences in two to four of them."""
    sentences = _sentences(sight)
    if spec.table:
        return Files(rows={spec.table: _notes(spec, sight, sentences)})
    if sight.leaks(sight.name):
        sentences = [*sentences, f"Final diagnosis: {sight.told}."]
    if spec.column:
        return Files({spec.column: " ".join(sentences)})
    parts = _parts(sentences, int(sight.rng.integers(2, 4))) if "*" in spec.path else [sentences]
    for number, part in enumerate(parts):
        sight.matching(spec.path, number).write_text("\n".join(part) + "\n", encoding="utf-8")
    return Files()


def _sentences(sight: Sight) -> list[str]:
    """Opening, findings in the words of their grade with neutral sentences between them, closing."""
    bank, rng = BANKS[sight.look or LOOKS["text"][0]], sight.rng
    grades = graded(sight.latent, len(bank.findings), len(bank.findings[0]), rng)
    said = [str(rng.choice(bank.opening))]
    fillers = list(rng.permutation(bank.neutral))
    for steps, grade in zip(bank.findings, grades, strict=True):
        if rng.random() >= OMITTED:
            said.append(str(rng.choice(steps[grade].split("|"))))
        if rng.random() < 0.4 and fillers:
            said.append(str(fillers.pop()))
    said.append(str(rng.choice(bank.closing)))
    own = differs(sight.site, sight.name, sight.simulation.shift.coding)
    return [_shortened(sentence) for sentence in said] if own else said


def _shortened(sentence: str) -> str:
    for long, short in SHORT.items():
        sentence = sentence.replace(long, short).replace(long.capitalize(), short)
    return sentence


def _parts(sentences: Sequence[str], count: int) -> list[list[str]]:
    """Consecutive parts of about equal length."""
    ends = [round(len(sentences) * part / count) for part in range(count + 1)]
    return [list(sentences[begin:end]) for begin, end in pairwise(ends)]


def _notes(spec: Text, sight: Sight, sentences: Sequence[str]) -> list[dict[str, str]]:
    """Rows of the table of notes, before the prediction; a discharge note that states the outcome comes after it."""
    rng = sight.rng
    parts = _parts(sentences, int(rng.integers(2, 5)))
    times = sorted(float(sight.hour - back) for back in rng.uniform(0.2, min(24.0, max(sight.hour, 1.0)), len(parts)))
    rows = [(time, " ".join(part)) for time, part in zip(times, parts, strict=True)]
    if sight.leaks(sight.name):
        rows.append((sight.hour + float(rng.uniform(24, 240)), f"Discharge note. Final diagnosis: {sight.told}."))
    names = spec.columns
    return [
        {names.patient: sight.whose(names.patient), names.time: f"{time:.2f}", names.text: text} for time, text in rows
    ]
