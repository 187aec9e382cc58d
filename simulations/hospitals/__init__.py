"""Invented hospitals with known truth: files as real hospitals have them, and the best possible figure."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.study import Study
from simulations.hospitals.latent import write_part, write_sites, write_table
from simulations.hospitals.oracle import oracle

__all__ = ["GENERATORS", "generator_digest", "invent", "invent_one", "oracle"]

Writer = Callable[[Study, Path, Mapping[str, int], Callable[[], None]], None]
GENERATORS: dict[str, Writer] = {"latent": write_sites}


def invent(
    study: Study,
    folder: Path,
    patients: Mapping[str, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write every hospital of a study into ``folder/<site>/``, by the generator that the study names.

    ``patients`` overrides the declared sizes and may leave hospitals out; ``progress`` is told (done, all).
    Raises ValueError if the study has no [simulation] section.
    """
    if study.simulation is None:
        raise ValueError("the study has no [simulation] section, so there is nothing to invent its hospitals from")
    sizes = dict(patients) if patients is not None else {site: entry.patients for site, entry in study.sites.items()}
    done, total = 0, sum(sizes.values())

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    GENERATORS[study.simulation.generator](study, folder, sizes, step)


def invent_one(study: Study, folder: Path, site: str, number: int) -> None:
    """Write one patient of a hospital into ``folder/<site>/``, the same as he is among all."""
    for name, rows in write_part(study, site, folder / site, range(number, number + 1)).items():
        write_table(folder / site / name, rows)


def generator_digest() -> str:
    """SHA-256 of the code that invents: hospitals made by another version are not the same hospitals."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
