"""Writes several pictures of a patient, as the study's pattern names them."""

from shared.modalities.bag import Bag
from simulations.hospitals.writers.image import pictures, save
from simulations.hospitals.writers.sight import Files, Sight

FEWEST, MOST = 2, 6  # pictures a patient


def write_bag(spec: Bag, sight: Sight) -> Files:
    """Two to six pictures of one lesion, at most as many as the study reads."""
    most = min(MOST, spec.items)
    count = most if sight.look == "laryngoscopy" else int(sight.rng.integers(min(FEWEST, most), most + 1))
    for number, picture in enumerate(pictures(spec.size, count, sight)):
        save(sight.matching(spec.path, number), picture)
    return Files()
