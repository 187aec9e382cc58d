"""Writes the readable part of a run's folder: the page, its figures and tables, and the model card."""

from pathlib import Path

from server.report.card import model_card
from server.report.page import page_sections, render_page
from server.report.results import Results
from server.report.tables import write_tables
from server.report.view import View


def write_report(results: Results, folder: Path) -> None:
    """Write ``report.html``, ``model_card.md``, ``figures/*.svg`` and ``tables/*.csv`` into a fresh run folder.

    ``results.json`` is written by ``results.write(folder)``, the ledger by its owner.
    """
    view = View(results)
    sections = page_sections(view)
    for name in ("figures", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for figure in (figure for section in sections for figure in section.figures):
        _write(folder / "figures" / f"{figure.name}.svg", figure.svg)
    write_tables(results, folder / "tables")
    _write(folder / "model_card.md", model_card(view))
    _write(folder / "report.html", render_page(view, sections))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
