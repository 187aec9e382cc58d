"""How models look in every figure: the primary one in bold ink, each other in a colour and dashes of its own."""

from collections.abc import Sequence

from server.report.figures.drawing import COLOURS, DASHES, INK, Drawing, Pen, Type
from server.report.view import View

ROW = 15.0  # pixels a line of a legend


def pens(view: View) -> dict[str, Pen]:
    """A pen a model."""
    others = [model for model in view.models if model != view.primary]
    looks = {
        model: Pen(COLOURS[place % len(COLOURS)], 1.3, DASHES[place % len(DASHES)])
        for place, model in enumerate(others)
    }
    return {**looks, view.primary: Pen(INK, 2.2)}


def legend(drawing: Drawing, top: float, rows: Sequence[tuple[Pen, str, bool]]) -> None:
    """Lines of a legend from a height downwards: how it looks, what it is, whether in bold."""
    for place, (pen, text, bold) in enumerate(rows):
        y = top + place * ROW
        drawing.line([(12, y - 4), (36, y - 4)], pen)
        drawing.words((44, y), text, Type(bold=bold))


def shortened(text: str, length: int) -> str:
    """A text that ends in an ellipsis where it is too long for its place."""
    return text if len(text) <= length else text[: length - 1] + "…"
