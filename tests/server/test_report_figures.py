"""The drawings show the numbers: marks lie where the axis says, the lowest cell is boxed, hospitals share a course."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from server.report.figures.calibration import calibration_figure
from server.report.figures.forest import forest_figures
from server.report.figures.matrix import matrix_figure
from server.report.figures.roc import UNDRAWN, roc_figure
from server.report.figures.rounds import courses
from server.report.page import page_sections
from server.report.view import View
from tests.server.report_pieces import TRAINERS
from tests.server.report_studies import full_study, without

SVG = "{http://www.w3.org/2000/svg}"


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in element.get("points", "").split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_forest_lies_on_its_axis() -> None:
    root = ElementTree.fromstring(forest_figures(View(full_study()))[0].panels[0].svg)
    words = {text.text: float(text.get("x", 0)) for text in root.iter(f"{SVG}text")}
    unit = (words["0.9"] - words["0.7"]) / 0.2
    heights = {text.text: float(text.get("y", 0)) - 4 for text in root.iter(f"{SVG}text")}
    lines = {points(line)[0][1]: points(line) for line in root.iter(f"{SVG}polyline") if len(points(line)) == 2}
    squares = {float(box.get("y", 0)) + float(box.get("height", 0)) / 2: box for box in root.iter(f"{SVG}rect")}
    estimate, low, high = 0.849, 0.741, 0.936  # of north, as its line of the figure says
    assert f"{estimate} ({low}–{high})" in words
    ends = [words["0.7"] + (value - 0.7) * unit for value in (low, high)]
    assert [x for x, _ in lines[heights["north"]]] == pytest.approx(ends, abs=0.4)
    square = next(box for y, box in squares.items() if abs(y - heights["north"]) < 0.2)
    centre = float(square.get("x", 0)) + float(square.get("width", 0)) / 2
    assert centre == pytest.approx(words["0.7"] + (estimate - 0.7) * unit, abs=0.4)
    widths = {site: next(float(b.get("width", 0)) for y, b in squares.items() if abs(y - heights[site]) < 0.2)
              for site in TRAINERS}  # fmt: skip
    assert widths["north"] > widths["west"] > widths["east"], "the more patients, the larger"


def test_the_lowest_cell_of_the_main_arm_is_boxed() -> None:
    svg = matrix_figure(View(full_study()))[0].panels[0].svg
    boxed = re.findall(r'stroke-width="1\.6"[^>]*/>\n<text[^>]*>([\d.]+)<', svg)
    assert boxed == ["0.840"]


def test_a_roc_starts_and_ends_in_its_corners() -> None:
    for panel in roc_figure(View(full_study()))[0].panels:
        root = ElementTree.fromstring(panel.svg)
        curves = [points(line) for line in root.iter(f"{SVG}polyline") if len(points(line)) > 20]
        assert len(curves) == 7
        assert {(curve[0], curve[-1]) for curve in curves} == {((46, 326), (326, 46))}
        assert all(left[1] >= right[1] for curve in curves for left, right in pairwise(curve))


def test_a_roc_that_contradicts_its_auc_is_told_and_not_drawn() -> None:
    """Of few bins a curve is near the diagonal, whatever the model's AUC is."""
    whole = full_study()
    flat = tuple(
        row.model_copy(update={"x": (0.0, 1.0), "y": (0.0, 1.0), "bins": 1}) if row.model == "ct" else row
        for row in whole.curves
    )
    (figure,) = roc_figure(View(whole.model_copy(update={"curves": flat})))
    for panel in figure.panels:
        root = ElementTree.fromstring(panel.svg)
        assert len([line for line in root.iter(f"{SVG}polyline") if len(points(line)) > 20]) == 6
        told = [text.text or "" for text in root.iter(f"{SVG}text") if (text.text or "").endswith(f"({UNDRAWN})")]
        assert [words.split()[1] for words in told] == ["ct"]
    assert "is not drawn" in figure.caption
    assert "is not drawn" not in roc_figure(View(whole))[0].caption


def test_calibration_bars_hold_the_patients() -> None:
    """Areas of both classes are as their patients: what is above the axis by the same pixel as what is below."""
    row = full_study().calibration[0]
    root = ElementTree.fromstring(calibration_figure(View(full_study()))[0].panels[0].svg)
    heights = {"#D55E00": 0.0, "#0072B2": 0.0}
    for box in root.iter(f"{SVG}rect"):
        if box.get("fill") in heights:
            heights[box.get("fill", "")] += float(box.get("height", 0))
    events, others = (sum(count or 0 for count in counts) for counts in (row.events, row.others))
    assert heights["#D55E00"] / heights["#0072B2"] == pytest.approx(events / others, rel=0.02)


def test_hospitals_with_the_same_course_share_a_line() -> None:
    releases = full_study().releases
    found = courses(releases)
    assert list(found.values()) == [list(TRAINERS)]
    assert next(iter(found))[-1] == 7.99
    slower = tuple(
        row.model_copy(update={"epsilon": row.epsilon / 2}) if row.site == "west" else row for row in releases
    )
    assert list(courses(slower).values()) == [["north", "east"], ["west"]]


def test_an_untested_gain_says_so() -> None:
    sections = {section.key: section for section in page_sections(View(without("comparisons")))}
    gains = {row[0].text: (row[3].text, row[3].small) for row in sections["joining"].tables[0].groups[0].rows}
    assert gains == {"north": ("+0.060", ("not tested",)), "west": ("+0.090", ("not tested",))}


def test_a_name_that_is_hostile_or_long_stays_in_its_place(tmp_path: Path) -> None:
    full = full_study()
    rows = tuple(row.model_copy(update={"excluded": {"<b>&x": 7}}) for row in full.cohorts)
    sections = page_sections(View(full.model_copy(update={"cohorts": rows})))
    flow = next(figure for section in sections for figure in section.figures if figure.key == "flow").panels[0].svg
    assert "&lt;b&gt;&amp;x: 7" in flow
    ElementTree.fromstring(flow)
