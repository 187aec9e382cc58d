"""Counts of scores by class, as a hospital tells them."""

from pydantic import model_validator

from shared.sections import Section


class ClassCells(Section):
    """Scores of one class on the fixed grid around the threshold, small cells merged."""

    edges: tuple[int, ...]
    counts: tuple[int, ...]

    @model_validator(mode="after")
    def _on_the_grid(self) -> "ClassCells":
        from shared.metrics.cells import BINS  # with scipy, which a courier need not wait for

        ends = self.edges[:1] == (0,) and self.edges[-1:] == (BINS,)
        if not ends or self.edges != tuple(sorted(set(self.edges))) or len(self.counts) != len(self.edges) - 1:
            raise ValueError("edges must rise from the grid's first to its last, with a cell between any two")
        if min(self.counts) < 0:
            raise ValueError("a count cannot be negative")
        return self
