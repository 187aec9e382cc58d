"""Writes the readable part of a run's folder: the page, its figures and tables, and the model card."""

from pathlib import Path

from server.report.card import markdown_card
from server.report.page import page_sections, render_page
from server.report.results import Results
from server.report.tables import csv_tables
from server.report.view import View


def write_report(results: Results, folder: Path) -> None:
    """Write ``report.html``, ``model_card.md``, ``figures/*.svg`` and ``tables/*.csv`` into a run's folder.

    Figures and tables of an earlier report are replaced. ``results.json`` is written by ``results.write(folder)``, the
    ledger by its owner.
    """
    view = View(results)
    sections = page_sections(view)
    panels = [panel for section in sections for figure in section.figures for panel in figure.panels]
    _fill(folder / "figures", "svg", {panel.name: panel.svg for panel in panels})
    _fill(folder / "tables", "csv", csv_tables(results, sections))
    _write(folder / "model_card.md", markdown_card(view))
    _write(folder / "report.html", render_page(view, sections))


def _fill(folder: Path, ending: str, texts: dict[str, str]) -> None:
    """Write a file a text, and drop those of the same kind that an earlier report left."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob(f"*.{ending}")):
        if old.stem not in texts:
            old.unlink()
    for name, text in texts.items():
        _write(folder / f"{name}.{ending}", text)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
