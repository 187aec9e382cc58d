"""What is true of invented patients: how severe each row is, what outcome follows, what modalities can show.

A row has a severity (``severity.py``). Given that, each modality has a latent, normal with standard deviation 1
around separation x severity, independent of the other modalities; its files are a rendering of the latent. A table
splits its separation over its columns instead (``columns.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.simulated import Simulation
from shared.study import Study
from simulations.hospitals.chance import stream
from simulations.hospitals.severity import LAWS


@dataclass(frozen=True)
class Row:
    """One row of an invented patient: its place among his, severity, outcome, and the latent of each modality."""

    place: int
    severity: float
    truth: NDArray[np.float64]
    latents: Mapping[str, float]


def prevalence(simulation: Simulation, site: str) -> float:
    """The share of events among a hospital's patients: as declared for it, or near the study's; by its name."""
    if site in simulation.prevalence_at:
        return min(simulation.prevalence_at[site], 0.999)
    lean = simulation.shift.prevalence * stream("prevalence", site).uniform(-1, 1)
    return float(np.clip(simulation.prevalence + lean, 0.001, 0.999))


def keys_of(study: Study, site: str, number: int, place: int) -> tuple[str | int, ...]:
    """Keys of a row's random streams: the seed, the hospital's name, the patient's number, and his further rows."""
    return (study.seed, site, number, *([f"row-{place}"] if place else []))


def draw_rows(study: Study, simulation: Simulation, site: str, number: int) -> list[Row]:
    """The rows of the patient of that number at that hospital; independent of all other patients and hospitals.

    A further row is like the patient's first, or drawn afresh; without rows in the study there is one.
    """
    count = 1
    if study.unit.row:
        count += int(stream(study.seed, site, number, "rows").poisson(simulation.rows.mean - 1))
    rows: list[Row] = []
    for place in range(count):
        rng = stream(*keys_of(study, site, number, place), "truth")
        severity, truth = LAWS[study.outcome.kind].draw(study.outcome, simulation, prevalence(simulation, site), 1, rng)
        if rows and rng.random() < simulation.rows.alike:
            severity, truth = np.array([rows[0].severity]), rows[0].truth[None]
        latents = {
            name: float(severity[0]) * simulation.separation[name] + rng.standard_normal() for name in study.modalities
        }
        rows.append(Row(place, float(severity[0]), truth[0], latents))
    return rows


def label(study: Study, simulation: Simulation, keys: tuple[str | int, ...], row: Row, site: str) -> dict[str, str]:
    """The row's cells of the outcome as the hospital has them: at a share of them, those of another patient."""
    law, truth = LAWS[study.outcome.kind], row.truth
    wrong = simulation.shift.labels * stream("labels", site).random()
    rng = stream(*keys, "label")
    if wrong and rng.random() < wrong:
        truth = law.draw(study.outcome, simulation, 0.5, 1, rng)[1][0]
        if study.outcome.kind in ("binary", "early-warning"):
            truth = 1 - row.truth
    return law.cells(study.outcome, truth, stream(*keys, "stage"))
