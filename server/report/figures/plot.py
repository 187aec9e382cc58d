"""A plot in a drawing: axes with ticks and names, curves and bands in the units of the data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.report.figures.drawing import INK, Drawing, Pen, Point, Scale, Type
from server.report.wording import tick

AXIS = Pen(INK, 0.8, opacity=0.75)
GRID = Pen(INK, 0.6, opacity=0.12)
CHANCE = Pen(INK, 0.8, "2 3", 0.5)


@dataclass(frozen=True)
class Plot:
    """Scales of both axes on a drawing; what lies outside of them is cut off."""

    drawing: Drawing
    x: Scale
    y: Scale
    clip: str

    @classmethod
    def on(cls, drawing: Drawing, x: Scale, y: Scale) -> "Plot":
        """A plot whose scales say where on the drawing it is; ``y`` starts at the bottom."""
        corner = (x.start - 1, y.end - 2)
        return cls(drawing, x, y, drawing.clip(corner, (x.end - x.start + 3, y.start - y.end + 4)))

    def axes(self, ticks: tuple[Sequence[float], Sequence[float]], names: tuple[str, str], grid: bool = True) -> None:
        """Both axes with their ticks and names."""
        drawing, x, y = self.drawing, self.x, self.y
        for value in ticks[1]:
            if grid:
                drawing.line([(x.start, y(value)), (x.end, y(value))], GRID)
            drawing.words((x.start - 7, y(value) + 4), tick(value), Type("end", soft=True))
        for value in ticks[0]:
            drawing.line([(x(value), y.start), (x(value), y.start + 4)], AXIS)
            drawing.words((x(value), y.start + 16), tick(value), Type("middle", soft=True))
        drawing.line([(x.start, y.start), (x.end, y.start)], AXIS)
        drawing.words(((x.start + x.end) / 2, y.start + 32), names[0], Type("middle"))
        drawing.words((x.start - 32, y.end - 12), names[1], Type())

    def at(self, xs: Iterable[float], ys: Iterable[float]) -> list[Point]:
        """Data to pixels."""
        return [(self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True)]

    def curve(self, xs: Iterable[float], ys: Iterable[float], pen: Pen) -> None:
        """A line through data."""
        self.drawing.line(self.at(xs, ys), pen, self.clip)

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], pen: Pen) -> None:
        """The area between two lines."""
        if low and high:
            self.drawing.area(self.at(xs, low) + self.at(xs, high)[::-1], pen, self.clip)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within a range, about so many."""
    raw = (high - low) / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 10) for place in range(first, math.floor(high / step + 1e-9) + 1)]
