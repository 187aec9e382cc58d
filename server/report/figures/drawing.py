"""SVG text from lines, bands, boxes and words: no fonts, no scripts, the same bytes for the same input.

Ink is ``currentColor``, so that a drawing follows a dark page and is black in a file of its own.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

INK = "currentColor"
# Okabe and Ito's palette without its yellow, which is too faint for a line on white; ink is the primary model's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
BLUE, VERMILION, GREEN = COLOURS[:3]
DASHES = ("", "6 2", "2 2", "7 2 2 2")
FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
SIZE = 11.0  # of words, in pixels

Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """How a line or an area looks."""

    colour: str = INK
    width: float = 1.0
    dash: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Type:
    """How words look; ``anchor`` is start, middle or end."""

    anchor: str = "start"
    bold: bool = False
    soft: bool = False
    size: float = SIZE
    colour: str = INK


@dataclass(frozen=True)
class Scale:
    """Values to pixels, linearly."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


class Drawing:
    """One SVG document in the making; ``title`` is what a screen reader says."""

    def __init__(self, name: str, title: str, width: float, height: float) -> None:
        self.name, self.title, self.width, self.height = name, title, width, height
        self._parts: list[str] = []

    def line(self, points: Iterable[Point], pen: Pen = Pen(), clip: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{pixel(x)},{pixel(y)}" for x, y in points)
        look = {"stroke": pen.colour, "stroke-width": pen.width, "stroke-dasharray": pen.dash, "clip-path": clip}
        self._add("polyline", {"points": path, "fill": "none", **look, "stroke-opacity": _part(pen.opacity)})

    def area(self, points: Iterable[Point], pen: Pen, clip: str = "") -> None:
        """A filled polygon without an outline."""
        path = " ".join(f"{pixel(x)},{pixel(y)}" for x, y in points)
        self._add(
            "polygon", {"points": path, "fill": pen.colour, "fill-opacity": _part(pen.opacity), "clip-path": clip}
        )

    def box(self, corner: Point, size: Point, fill: Pen | None = None, edge: Pen | None = None) -> None:
        """A rectangle from its upper left corner."""
        place = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
        inside = {"fill": fill.colour, "fill-opacity": _part(fill.opacity)} if fill else {"fill": "none"}
        outline = (
            {"stroke": edge.colour, "stroke-width": edge.width, "stroke-opacity": _part(edge.opacity)} if edge else {}
        )
        self._add("rect", {**place, **inside, **outline})

    def dot(self, centre: Point, radius: float, colour: str = INK) -> None:
        """A filled circle."""
        self._add("circle", {"cx": centre[0], "cy": centre[1], "r": radius, "fill": colour})

    def words(self, place: Point, text: str, look: Type = Type()) -> None:
        """A line of text on its baseline."""
        attributes = {
            "x": place[0],
            "y": place[1],
            "text-anchor": "" if look.anchor == "start" else look.anchor,
            "font-weight": "600" if look.bold else "",
            "font-size": "" if look.size == SIZE else look.size,
            "fill": "" if look.colour == INK else look.colour,
            "fill-opacity": ".68" if look.soft else "",
        }
        self._add("text", attributes, text)

    def clip(self, corner: Point, size: Point) -> str:
        """Name a rectangle that lines and areas can be clipped to."""
        name = f"{self.name}-clip"
        place = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
        self._parts.append(f'<clipPath id="{name}">{_tag("rect", place)}</clipPath>')
        return f"url(#{name})"

    def svg(self) -> str:
        """The document."""
        size = f"{pixel(self.width)} {pixel(self.height)}"
        opening = (
            f'<svg role="img" aria-labelledby="{self.name}-title" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {size}" width="{pixel(self.width)}" height="{pixel(self.height)}" '
            f'font-family="{FONT}" font-size="{pixel(SIZE)}" fill="currentColor">'
        )
        title = f'<title id="{self.name}-title">{html.escape(self.title)}</title>'
        return "\n".join([opening, title, *self._parts, "</svg>\n"])

    def _add(self, tag: str, attributes: Mapping[str, object], text: str | None = None) -> None:
        self._parts.append(_tag(tag, attributes, text))


def _tag(tag: str, attributes: Mapping[str, object], text: str | None = None) -> str:
    told = {name: pixel(value) if isinstance(value, float | int) else value for name, value in attributes.items()}
    words = " ".join([tag, *(f'{name}="{html.escape(str(value))}"' for name, value in told.items() if value != "")])
    return f"<{words}/>" if text is None else f"<{words}>{html.escape(text)}</{tag}>"


def _part(opacity: float) -> str:
    return "" if opacity == 1 else f"{opacity:g}"


def pixel(value: float) -> str:
    """A coordinate with a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def steps(points: Sequence[Point]) -> list[Point]:
    """A staircase: each value holds until the next."""
    corners = [(x, y) for (_, y), (x, _) in pairwise(points)]
    return [point for pair in zip(points, corners, strict=False) for point in pair] + list(points[-1:])
