"""The patient's and the expert's opinion, which RetinaMNIST lacks: simulated from the grade, as retina-severity's are.

A photograph's severity is drawn within its grade, and the texts follow from it by the law and the phrases of the
study's own generator: so they show what an invented patient's of that grade would, and nothing of this photograph.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np

from shared.modalities.text import Text
from shared.study_file import load_study
from simulations.hospitals.chance import stream
from simulations.hospitals.severity import LAWS
from simulations.hospitals.writers.sight import Sight
from simulations.hospitals.writers.text import write_text

STUDY = "retina-severity"


def opinions(names: Sequence[str], grades: Sequence[int], sites: Sequence[str]) -> list[dict[str, str]]:
    """The two texts of each photograph, by column; the same at each call."""
    study = load_study(STUDY)
    simulation = study.simulation
    assert simulation is not None
    ends = np.cumsum([0.0, *simulation.shares]) / sum(simulation.shares)
    texts = {name: spec for name, spec in study.modalities.items() if isinstance(spec, Text)}
    rows = []
    for photograph, grade, site in zip(names, grades, sites, strict=True):
        rng = stream(study.seed, photograph, "severity")
        severity = NormalDist().inv_cdf(rng.uniform(*np.clip(ends[grade : grade + 2], 1e-9, 1 - 1e-9)))
        cells: dict[str, str] = {}
        for name, spec in texts.items():
            own = stream(study.seed, photograph, name)
            sight = Sight(
                name, simulation.separation[name] * severity + own.standard_normal(), severity,
                LAWS[study.outcome.kind].scale, photograph, photograph, 0.0, site, Path(), own, simulation, str(grade),
            )  # fmt: skip
            cells |= write_text(spec, sight).cells
        rows.append(cells)
    return rows
