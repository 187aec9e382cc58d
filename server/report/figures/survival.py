"""Survival curves by risk group, with the patients at risk under each panel."""

import math
from collections.abc import Sequence

from server.report import wording
from server.report.curves import RiskGroup, Survival
from server.report.fields import Numbers
from server.report.figures.drawing import COLOURS, DASHES, Drawing, Pen, Scale, Type
from server.report.figures.plot import Plot
from server.report.layout import HALF, Drawn, Figure
from server.report.view import Panel, View

WIDTH, WIDE, HIGH, LEFT, TOP = 524.0, 370.0, 240.0, 76.0, 46.0
TICKS = (0, 0.25, 0.5, 0.75, 1)
LINE = 16.0
MOST = 7  # times under the axis


def survival_figure(view: View) -> tuple[Figure, ...]:
    """A panel a cohort, of the primary model's risk groups."""
    drawn = [
        (panel, row)
        for panel in view.panels()
        for row in view.chosen(view.results.survival, panel)
        if row.model == view.primary
    ]
    if not drawn:
        return ()
    sizes = "; ".join(f"{panel.title}: {wording.size(row.n, row.events)}" for panel, row in drawn)
    endpoints = ", ".join(dict.fromkeys(row.endpoint for _, row in drawn))
    methods = ", ".join(dict.fromkeys(row.method for _, row in drawn))
    caption = (
        f"Kaplan-Meier curves on declared times (actuarial estimates) of {endpoints} by risk group of {view.primary}, "
        f"{view.main.text}; groups were cut on training patients. {sizes}. "
        f"{methods[:1].upper()}{methods[1:]}. Dots: the declared times. "
        "Shaded: 95 % intervals. Under the axis: "
        "patients still at risk."
    )
    panels = tuple(_panel(panel, row) for panel, row in drawn)
    return (Figure("survival", "Survival by risk group", panels, caption, HALF),)


def _panel(panel: Panel, row: Survival) -> Drawn:
    heading = f"{panel.title}, {wording.size(row.n, row.events)}"
    below = TOP + HIGH + 58
    height = below + LINE * (len(row.groups) + 1)
    drawing = Drawing(f"survival-{panel.key}", f"Survival by risk group. {heading}. {tested(row)}", WIDTH, height)
    drawing.words((14, 16), heading, Type(bold=True, size=12))
    x = Scale(0, row.time[-1], LEFT, LEFT + WIDE)
    plot = Plot.on(drawing, x, Scale(0, 1, TOP + HIGH, TOP))
    marks = row.time[:: math.ceil(len(row.time) / MOST)]
    plot.axes((marks, TICKS), (f"Time ({row.unit})", f"{row.endpoint[:1].upper()}{row.endpoint[1:]}"))
    names = _apart([plot.y(group.survival[-1]) + 4 for group in row.groups])
    for place, group in enumerate(row.groups):
        pen = Pen(COLOURS[place % len(COLOURS)], 1.8, DASHES[place % len(DASHES)])
        _group(plot, row, group, (pen, names[place]))
        _at_risk(drawing, x, row, (group, pen, below + LINE * (place + 1)), marks)
    drawing.words((8, below), "At risk", Type(soft=True))
    if row.p is not None:
        drawing.words((LEFT + 10, TOP + HIGH - 12), tested(row))
    return Drawn(drawing.name, drawing.svg())


def tested(row: Survival) -> str:
    """The test between the groups and the ratio of their hazards."""
    parts = [] if row.p is None else [f"log-rank p {wording.p_sign(row.p)}"]
    if row.hazard_ratio is not None:
        ends = (
            "" if row.low is None or row.high is None else f" ({wording.interval(row.low, row.high, 'hazard_ratio')})"
        )
        parts.append(f"hazard ratio {wording.number(row.hazard_ratio, 'hazard_ratio')}{ends}")
    return "; ".join(parts)


def _group(plot: Plot, row: Survival, group: RiskGroup, look: tuple[Pen, float]) -> None:
    """Straight lines, as nobody knows when events were between two times; ``look`` has the height of the name."""
    pen, height = look
    plot.band(row.time, group.low, group.high, Pen(pen.colour, opacity=0.13))
    plot.curve(row.time, group.survival, pen)
    for point in plot.at(row.time, group.survival):
        plot.drawing.dot(point, 2.4, pen.colour)
    plot.drawing.words((plot.x.end + 8, height), group.name, Type(bold=True, colour=pen.colour))


def _apart(heights: Sequence[float]) -> list[float]:
    """The same heights, from the top each at least a line below the one before."""
    found, last = list(heights), -LINE
    for place in sorted(range(len(heights)), key=lambda index: heights[index]):
        last = found[place] = max(heights[place], last + LINE)
    return found


def _at_risk(drawing: Drawing, x: Scale, row: Survival, line: tuple[RiskGroup, Pen, float], marks: Numbers) -> None:
    """Numbers under the ticks of the axis, which are times of the grid."""
    group, pen, y = line
    drawing.words((8, y), group.name, Type(colour=pen.colour))
    for mark in marks:
        drawing.words((x(mark), y), wording.count(group.at_risk[row.time.index(mark)]), Type("middle"))
