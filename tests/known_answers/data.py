"""Data sets of others that the known answers are of: from the wheels of test tools, or from beside the checkout."""

import csv
import importlib.resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Floats = npt.NDArray[np.float64]
BESIDE = Path(__file__).parents[3] / "shared" / "known-answers"


def beside_the_checkout(name: str) -> list[dict[str, str]]:
    """Rows of a file whose licence keeps it out of this project; skips the test where it is absent."""
    path = BESIDE / name
    if not path.exists():
        pytest.skip(f"{name} is not part of this project (GPL-3) and not beside the checkout")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def asah() -> tuple[Floats, dict[str, Floats], list[dict[str, str]]]:
    """Outcome (113,) and markers after a subarachnoid haemorrhage (Turck et al. 2010), pROC's example, GPL-3."""
    rows = beside_the_checkout("aSAH.csv")
    outcome = np.array([row["outcome"] == "Poor" for row in rows], dtype=np.float64)
    markers = {name: np.array([float(row[name]) for row in rows]) for name in ("wfns", "s100b", "ndka")}
    return outcome, markers, rows


def table_of_dcurves(name: str) -> dict[str, Floats]:
    """Columns of a table in the wheel of dcurves (Apache-2.0); True and False become 1 and 0."""
    path = importlib.resources.files("dcurves").joinpath("data", name)
    with path.open(encoding="utf-8") as file:  # type: ignore[call-overload]
        rows = list(csv.DictReader(file))
    return {key: np.array([_number(row[key]) for row in rows]) for key in rows[0]}


def frame_of_lifelines(name: str) -> Any:
    """A table in the wheel of lifelines (MIT)."""
    import lifelines.datasets

    return getattr(lifelines.datasets, f"load_{name}")()


def _number(text: str) -> float:
    named = {"TRUE": 1.0, "FALSE": 0.0, "True": 1.0, "False": 0.0}
    try:
        return named[text] if text in named else float(text)
    except ValueError:
        return float("nan")
