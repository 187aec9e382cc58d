"""What each round of the main arm spent and took: epsilon by hospital, seconds."""

from collections.abc import Mapping, Sequence

from server.report.books import Release, Round
from server.report.figures.drawing import COLOURS, DASHES, INK, Drawing, Pen, Scale, Type, steps
from server.report.figures.plot import Plot, ticks
from server.report.layout import HALF, Drawn, Figure
from server.report.view import View

WIDTH, WIDE, HIGH, LEFT, TOP = 460.0, 330.0, 180.0, 46.0, 46.0


def rounds_figure(view: View) -> tuple[Figure, ...]:
    """Panels of the main arm's first fold; none where neither was recorded."""
    fold = view.folds[0]
    rounds = [
        row
        for row in view.results.timing.rounds
        if (row.arm, row.private, row.fold) == (view.main.arm, view.main.private, fold)
    ]
    releases = [
        row
        for row in view.results.releases
        if (row.arm, row.fold) == (view.main.arm, fold) and row.stage != "validation"  # of other patients
    ]
    panels = [_epsilon(view, releases)] if releases and view.main.private else []
    panels += [_seconds(rounds)] if rounds else []
    if not panels:
        return ()
    where = f", fold {fold}" if view.left_out else ""
    stages = ", then ".join(dict.fromkeys(row.stage for row in rounds)) or "one stage"
    caption = (
        f"{view.main.text.capitalize()}{where}; rounds are counted through ({stages}). ε: the most that all releases "
        "so far tell about one patient; hospitals with the same course share a line. Seconds: from the question to the "
        "last answer."
    )
    return (Figure("rounds", "Privacy spent and time taken, by round", tuple(panels), caption, HALF),)


def courses(releases: Sequence[Release]) -> dict[tuple[float, ...], list[str]]:
    """Hospitals by the epsilon that they had spent after each release."""
    found: dict[str, list[float]] = {}
    for row in releases:
        found.setdefault(row.site, []).append(row.epsilon)
    grouped: dict[tuple[float, ...], list[str]] = {}
    for site, epsilons in found.items():
        grouped.setdefault(tuple(round(epsilon, 2) for epsilon in epsilons), []).append(site)
    return grouped


def _epsilon(view: View, releases: Sequence[Release]) -> Drawn:
    drawing = Drawing("rounds-epsilon", "Epsilon spent at each hospital by round.", WIDTH, TOP + HIGH + 42)
    drawing.words((14, 16), "ε spent so far", Type(bold=True, size=12))
    grouped = courses(releases)
    budgets = [row.budget for row in view.results.privacy.sites if row.budget is not None]
    top = max([*budgets, *(course[-1] for course in grouped)]) * 1.08
    longest = max(len(course) for course in grouped)
    plot = _plot(drawing, longest, top)
    if budgets:
        plot.curve((0, longest), (max(budgets), max(budgets)), Pen(INK, 1, "2 3", 0.7))
        drawing.words((plot.x.end + 6, plot.y(max(budgets)) - 6), "budget", Type(soft=True))
    _courses(plot, grouped)
    return Drawn(drawing.name, drawing.svg())


def _courses(plot: Plot, grouped: Mapping[tuple[float, ...], list[str]]) -> None:
    for place, (course, sites) in enumerate(grouped.items()):
        pen = Pen(COLOURS[place % len(COLOURS)], 1.8, DASHES[place % len(DASHES)])
        points = plot.at(range(len(course) + 1), (0, *course))
        plot.drawing.line(steps(points), pen)
        name = sites[0] if len(sites) == 1 else f"{len(sites)} hospitals"
        end = points[-1]
        plot.drawing.words((end[0] + 6, end[1] + 9 + 12 * place), name, Type(colour=pen.colour, bold=True))


def _seconds(rounds: Sequence[Round]) -> Drawn:
    drawing = Drawing("rounds-seconds", "Seconds that each round took.", WIDTH, TOP + HIGH + 42)
    drawing.words((14, 16), "Seconds", Type(bold=True, size=12))
    plot = _plot(drawing, len(rounds), max(*(row.seconds for row in rounds), 1e-6) * 1.08)
    width = plot.x(1) - plot.x(0)
    stages = list(dict.fromkeys(row.stage for row in rounds))
    for place, row in enumerate(rounds):
        y = plot.y(row.seconds)
        pen = Pen(COLOURS[stages.index(row.stage) % len(COLOURS)], opacity=0.8)
        drawing.box((plot.x(place) + width * 0.12, y), (width * 0.76, plot.y.start - y), pen)
    for place, stage in enumerate(stages):
        colour = COLOURS[place % len(COLOURS)]
        drawing.words((plot.x.end + 8, TOP + 14 + 15 * place), stage, Type(colour=colour, bold=True))
    return Drawn(drawing.name, drawing.svg())


def _plot(drawing: Drawing, rounds: int, top: float) -> Plot:
    plot = Plot.on(drawing, Scale(0, rounds, LEFT, LEFT + WIDE), Scale(0, top, TOP + HIGH, TOP))
    plot.axes((ticks(0, rounds, 6), ticks(0, top, 4)), ("Round", ""))
    return plot
