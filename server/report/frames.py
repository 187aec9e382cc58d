"""A run in a notebook: ``run = load("results/RUN")`` gives its typed results and pandas data frames."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from server.report.results import Results
from server.report.tables import flat_tables

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Run:
    """Typed results, and every list of them as a frame by its name: ``run["metrics"]``, one row a figure."""

    results: Results
    frames: "dict[str, pandas.DataFrame]"

    def __getitem__(self, name: str) -> "pandas.DataFrame":
        """The frame of a list; KeyError, with the names that there are, where this run has none."""
        if name not in self.frames:
            raise KeyError(f"this run has no {name}; it has {', '.join(self.frames)}")
        return self.frames[name]


def load(folder: Path | str) -> Run:
    """Read a run's folder; raises FileError where its ``results.json`` is missing or wrong.

    Frames: metrics, comparisons, meta, cohorts, cross_site, curves (ROC), calibration, decisions, survival (these four
    with a row a point) and whatever else the run has.
    """
    import pandas

    results = Results.read(Path(folder))
    return Run(results, {name: pandas.DataFrame(rows) for name, rows in flat_tables(results).items()})
