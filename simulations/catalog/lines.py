"""What is kept of each study of a run over the catalog: its figures side by side, its time, and what went wrong."""

import json
from collections.abc import Iterable
from pathlib import Path

from shared.sections import Section, read_section

FILE = "catalog.json"


class Line(Section):
    """A study's main figure by arm, and the published one with its interval; all None where the study failed.

    ``digest`` is of the study as it was run; ``folder`` lies beside the index; ``private`` is federated under privacy,
    the other arms are without; ``withheld`` is why a study that ran has no main figure; ``leaks`` are inputs that leak
    the outcome on purpose.
    """

    name: str
    digest: str
    folder: str = ""
    seconds: float = 0.0
    metric: str = ""
    cohort: str = ""
    oracle: float | None = None
    pooled: float | None = None
    federated: float | None = None
    private: float | None = None
    alone: float | None = None
    published: tuple[float, float | None, float | None] | None = None
    published_metric: str = ""  # where the paper has none of the main measure
    published_cohort: str = ""
    withheld: str = ""
    inferred: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def below_oracle(self) -> float | None:
        """What the pooled arm lacks to the truth."""
        return None if self.oracle is None or self.pooled is None else self.oracle - self.pooled

    @property
    def below_pooled(self) -> float | None:
        """What the federated arm lacks to the pooled one."""
        return None if self.pooled is None or self.federated is None else self.pooled - self.federated


def read_lines(results: Path) -> dict[str, Line]:
    """By study, what an earlier run left; nothing where there was none, or it was another version's."""
    try:
        values = json.loads((results / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = [read_section(Line, line, FILE)[0] for line in values if isinstance(line, dict)]
    return {line.name: line for line in found if line is not None}


def write_lines(results: Path, lines: Iterable[Line]) -> None:
    """The index, whole or not at all."""
    partial = results / f"{FILE}.partial"
    partial.write_text(json.dumps([line.model_dump(mode="json") for line in lines], indent=1) + "\n", encoding="utf-8")
    partial.replace(results / FILE)
