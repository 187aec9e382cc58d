"""Scores of a cohort by class, as they leave a hospital: small cells merged, or every cell noised."""

from pydantic import Field, model_validator

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


class NoisedCells(Section):
    """Scores of both classes in fixed cells around the threshold, every one with noise: fractions, also below zero.

    ``deviation`` is the noise's in each cell; it follows from the study alone.
    """

    others: tuple[float, ...]
    events: tuple[float, ...]
    deviation: float = Field(gt=0)

    @model_validator(mode="after")
    def _whole(self) -> "NoisedCells":
        from shared.metrics.noised import CELLS  # with scipy, which a courier need not wait for

        if not len(self.others) == len(self.events) == CELLS:
            raise ValueError("a noised tally has every cell of both classes")
        return self
