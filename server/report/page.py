"""The report as one self-contained HTML page: no scripts, nothing fetched, fit for a phone and for A4."""

from collections.abc import Callable, Sequence

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from server.report.layout import Section
from server.report.sections import comparisons, hospitals, modalities, models, participants, plots, privacy, published
from server.report.sections.checklists import checklists
from server.report.sections.limits import limits
from server.report.sections.model_card import model_card
from server.report.sections.summary import summary
from server.report.stylesheet import STYLESHEET
from server.report.template import TEMPLATE
from server.report.view import View
from server.report.wording import privacy_line

# The order of the page. A new element is a function here; one with nothing to show is left out.
SECTIONS: tuple[Callable[[View], Section], ...] = (
    summary,
    participants.participants,
    models.models,
    plots.discrimination,
    plots.calibration,
    plots.utility,
    hospitals.hospitals,
    comparisons.joining,
    comparisons.comparisons,
    modalities.modalities,
    plots.survival,
    published.readers,
    published.published,
    privacy.privacy,
    limits,
    model_card,
    privacy.environment,
)


def page_sections(view: View) -> tuple[Section, ...]:
    """Every section that has something to show; the checklists say where each of their items is answered."""
    built = [section for section in (build(view) for build in SECTIONS) if not section.empty]
    return (*built, checklists(view, built))


def numbers(sections: Sequence[Section]) -> dict[str, int]:
    """The number of each figure ("figure-roc") and each table ("table-cohorts"), in the order of the page."""
    figures = [f"figure-{figure.key}" for section in sections for figure in section.figures]
    tables = [f"table-{table.key}" for section in sections for table in section.tables]
    return {key: place for keys in (figures, tables) for place, key in enumerate(keys, start=1)}


def render_page(view: View, sections: tuple[Section, ...]) -> str:
    """The page's HTML; all text is escaped, only the stylesheet and the drawings are taken as they are."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["drawing"] = Markup
    return environment.from_string(TEMPLATE).render(
        study=view.results.study,
        seed=view.results.seed,
        engine=view.results.engine,
        private=view.main.private,
        privacy_line=privacy_line(view.results),
        warnings=view.results.warnings,
        sections=sections,
        numbers=numbers(sections),
        stylesheet=Markup(STYLESHEET),
    )
