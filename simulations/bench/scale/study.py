"""A study of any number of hospitals and of any size of update, on invented patients."""

import json
from collections.abc import Sequence
from typing import Any

from shared.study import Study
from shared.study_file import study_from_text

PATIENTS = 12  # a hospital
NETWORKS = {100: ["resnet50", "vit"], 400: [*["resnet50"] * 4, "densenet121"]}  # by MB of an update, about
TABLE = {"kind": "tabular", "numeric": {"age": {"range": [0, 100], "unit": "years"}}}
PICTURE = {"kind": "image", "path": "picture", "shape": [1, 32, 32], "encoder": "network"}
REST: dict[str, Any] = {
    "name": "bench-scale",
    "title": "A table, and pictures for large networks",
    "seed": 1,
    "outcome": {
        "kind": "binary",
        "column": "ill",
        "positive": ["yes"],
        "negative": ["no"],
        "predicted_at": "admission",
    },
    "fusion": {"kind": "concat", "combinations": "primary"},
    "arms": {"run": ["federated"]},
    "privacy": {"mechanism": "none"},
}


def scale_study(hospitals: int, rounds: int, networks: Sequence[str] = ()) -> Study:
    """A table, and a picture for each of the networks; all hospitals train, without privacy."""
    pictures = {f"picture-{place}": {**PICTURE, "network": name} for place, name in enumerate(networks)}
    modalities = {"clinical": TABLE, **pictures}
    names = [f"hospital-{number:03}" for number in range(1, hospitals + 1)]
    schedule = "joint" if pictures else "staged"
    values = {
        "modalities": modalities,
        "sites": {name: {"patients": PATIENTS} for name in names},
        "cohorts": {"scheme": "site-holdout", "train": names, "internal": 0.25},
        "training": {"schedule": schedule, "rounds": rounds, "steps": 1, "learning_rate": 0.01},
        "evaluation": {"threshold": {"rule": "declared", "value": 0.5}, "primary": "+".join(modalities)},
        "simulation": {
            "generator": "latent",
            "separation": dict.fromkeys(modalities, 1.0),
            "look": dict.fromkeys(pictures, "ultrasound"),
            "prevalence": 0.5,
            "columns": {"age": {"centre": 60, "spread": 10}},
        },
    }
    return study_from_text(json.dumps(REST | values))
