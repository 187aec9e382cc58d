"""Writes a patient's list of codes: which ones he has shows the latent; others are common and say nothing."""

from shared.modalities.concepts import Concepts
from simulations.hospitals.grades import graded
from simulations.hospitals.writers.sight import Files, Sight

# ICD-10 in rising severity of what they stand for; a patient has those below his latent.
TELLING = (
    "I10", "E11.9", "N39.0", "I48.0", "D64.9", "J18.9", "N18.3", "I50.9", "E87.5", "E87.1", "J96.0", "K72.9",
    "K85.9", "D69.6", "A41.9", "R57.9", "E87.2", "N18.5", "D65", "R65.2", "J80", "R57.2", "I46.9", "Z51.5",
)  # fmt: skip
COMMON = (
    "Z79.4", "K21.9", "M54.5", "H25.9", "F32.9", "G47.3", "E78.5", "M17.9", "Z87.8", "L30.9", "K59.0", "R51",
    "J30.1", "N40", "H52.4", "M81.0", "Z96.6", "E03.9", "I83.9", "K57.3",
)  # fmt: skip
SPAN = 72.0  # hours before the prediction in which codes are given


def write_concepts(spec: Concepts, sight: Sight) -> Files:
    """Codes of a cell, apart by the separator, or rows of a table with their time."""
    rng = sight.rng
    has = graded(sight.latent, len(TELLING), 2, rng)
    codes = [code for code, given in zip(TELLING, has, strict=True) if given]
    codes += [code for code in COMMON if rng.random() < 0.25]
    codes = [str(code) for code in rng.permutation(codes)] or ["Z00.0"]
    if spec.column:
        return Files({spec.column: spec.separator.join(codes)})
    span = min(SPAN, max(sight.hour, 1.0))
    times = sorted(sight.hour - rng.uniform(0, span, len(codes)))
    names = spec.columns
    return Files(
        rows={
            spec.table: [
                {names.patient: sight.whose(names.patient), names.time: f"{time:.2f}", names.code: code}
                for time, code in zip(times, codes, strict=True)
            ]
        }
    )
