"""Values that no living adult has: cells of a broken line or a slip of the pen, which a worst value would take in."""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LIMITS = {  # by measure: the least and the most that is taken; wide, so that what goes is an error and no illness
    "heart_rate": (10, 300),
    "map": (10, 300),
    "respiratory_rate": (1, 70),
    "temperature": (25, 45),
    "spo2": (10, 100),
    "lactate": (0.05, 50),
    "creatinine": (0.05, 150),
    "bilirubin": (0, 150),  # 0 is what a laboratory writes for less than it can tell
    "platelets": (1, 10_000),
    "wbc": (0, 1_000),
    "pao2": (10, 800),
    "fio2": (20, 100),  # less is liters of oxygen, in the wrong cell
    "eyes": (1, 4),
    "verbal": (1, 5),
    "motor": (1, 6),
    "weight": (20, 500),
}


def plausible(rows: "pd.DataFrame", dropped: Counter[str]) -> "pd.DataFrame":
    """Rows (``variable``, ``value``) within the limits or of a measure without; the others are counted by measure."""
    low, high = (rows["variable"].map({name: pair[end] for name, pair in LIMITS.items()}) for end in (0, 1))
    outside = (rows["value"] < low) | (rows["value"] > high)
    for name, count in rows["variable"][outside].value_counts().sort_index().items():
        dropped[f"values of {name} outside {LIMITS[str(name)][0]} to {LIMITS[str(name)][1]}"] += int(count)
    return rows[~outside]
