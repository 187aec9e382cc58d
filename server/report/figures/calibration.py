"""Calibration panels: observed against predicted risk with its band, and below how predicted risks are distributed."""

from server.report import wording
from server.report.curves import Calibration
from server.report.figures.drawing import BLUE, INK, VERMILION, Drawing, Pen, Scale, Type
from server.report.figures.plot import CHANCE, Plot
from server.report.layout import Drawn, Figure
from server.report.view import Panel, View

WIDTH, SIDE, LEFT, TOP, BARS = 340.0, 280.0, 46.0, 46.0, 34.0
TICKS = (0, 0.25, 0.5, 0.75, 1)
FEWEST = 4  # bins of a histogram that shows anything
SHOWN = 20  # bars of the histogram; a wider cell of merged bins is spread evenly over them
TOLD = {"calibration_slope": "slope", "citl": "in the large", "oe_ratio": "O:E"}


def calibration_figure(view: View) -> tuple[Figure, ...]:
    """A panel a cohort, of the primary model."""
    drawn = [
        (panel, row)
        for panel in view.panels()
        for row in view.chosen(view.results.calibration, panel)
        if row.model == view.primary
    ]
    if not drawn:
        return ()
    sizes = "; ".join(f"{panel.title}: {wording.size(row.n, row.cases)}" for panel, row in drawn)
    methods = ", ".join(dict.fromkeys(row.method for _, row in drawn))
    caption = (
        f"{view.primary}, {view.main.text}. {sizes}. Line: observed risk ({methods}), shaded: its 95 % band, dotted: "
        "perfect calibration. Bars below: patients by predicted risk, with the outcome above the axis (vermilion), "
        "without below it (blue); merged bins are spread evenly."
    )
    panels = tuple(_panel(view, panel, row) for panel, row in drawn)
    return (Figure("calibration", "Calibration, with the distribution of predicted risk", panels, caption),)


def _panel(view: View, panel: Panel, row: Calibration) -> Drawn:
    heading = f"{panel.title}, {wording.size(row.n, row.cases)}"
    floor = TOP + SIDE + 30 + BARS
    drawing = Drawing(f"calibration-{panel.key}", f"Calibration curve. {heading}.", WIDTH, floor + BARS + 26)
    drawing.words((14, 16), heading, Type(bold=True, size=12))
    x = Scale(0, 1, LEFT, LEFT + SIDE)
    plot = Plot.on(drawing, x, Scale(0, 1, TOP + SIDE, TOP))
    plot.axes((TICKS, TICKS), ("", "Observed risk"))
    plot.curve((0, 1), (0, 1), CHANCE)
    plot.band(row.predicted, row.low, row.high, Pen(BLUE, opacity=0.18))
    plot.curve(row.predicted, row.observed, Pen(INK, 2))
    for place, line in enumerate(_figures(view, panel)):
        drawing.words((LEFT + 10, TOP + 16 + 15 * place), line)
    _histogram(drawing, x, row, floor)
    drawing.words((LEFT + SIDE / 2, floor + BARS + 16), "Predicted risk", Type("middle"))
    return Drawn(drawing.name, drawing.svg())


def _figures(view: View, panel: Panel) -> list[str]:
    lines = []
    for metric, name in TOLD.items():
        figure = view.main_figure(panel, metric)
        if figure.value is not None:
            ends = (
                "" if figure.low is None or figure.high is None else wording.interval(figure.low, figure.high, metric)
            )
            lines.append(f"{name} {wording.number(figure.value, metric)}{f' ({ends})' if ends else ''}")
    return lines


def _histogram(drawing: Drawing, x: Scale, row: Calibration, floor: float) -> None:
    """Both classes on one axis, to a common height."""
    if len(row.edges) <= FEWEST:
        drawing.words(
            ((x.start + x.end) / 2, floor), "too few patients to show how risks spread", Type("middle", soft=True)
        )
        return
    events, others = even_bars(row.edges, row.events), even_bars(row.edges, row.others)
    most = max([*events, *others, 1e-9])
    width = (x.end - x.start) / SHOWN
    for values, colour, way in ((events, VERMILION, -1), (others, BLUE, 1)):
        for place, value in enumerate(values):
            height = value / most * BARS
            top = floor - height if way < 0 else floor
            if height > 0.05:
                drawing.box((x.start + place * width + 0.5, top), (width - 1, height), Pen(colour, opacity=0.75))
    drawing.line([(x.start, floor), (x.end, floor)], Pen(INK, 0.8, opacity=0.75))
    drawing.words((x.start - 7, floor - 8), "with", Type("end", soft=True, size=9.5))
    drawing.words((x.start - 7, floor + 16), "without", Type("end", soft=True, size=9.5))


def even_bars(edges: tuple[float, ...], counts: tuple[int | None, ...]) -> list[float]:
    """Counts in uneven cells over even bars of [0, 1], each cell spread evenly; without what is too few to report."""
    bars = [0.0] * (SHOWN if counts else 0)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        for place in range(len(bars)):
            shared = min(high, (place + 1) / SHOWN) - max(low, place / SHOWN)
            if shared > 0 and count:
                bars[place] += count * shared / (high - low)
    return bars
