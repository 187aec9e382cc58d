"""The report as one self-contained HTML page: no scripts, nothing fetched, fit for a phone and for A4."""

from collections.abc import Callable

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from server.report import conduct, performance, references, summary
from server.report.layout import Section
from server.report.stylesheet import STYLESHEET
from server.report.template import TEMPLATE
from server.report.view import View
from server.report.wording import privacy_line

# The order of the page. A new element is a function here; a builder with nothing to show is left out.
SECTIONS: tuple[Callable[[View], Section], ...] = (
    summary.summary,
    performance.side_by_side,
    performance.curves,
    performance.by_hospital,
    performance.cross_site,
    performance.operating_point,
    references.comparisons,
    references.published,
    conduct.cohorts,
    conduct.privacy,
    summary.limits,
    conduct.environment,
)


def page_sections(view: View) -> tuple[Section, ...]:
    """Every section that has something to show."""
    built = [build(view) for build in SECTIONS]
    return tuple(one for one in built if one.terms or one.paragraphs or one.figures or one.tables or one.points)


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
        stylesheet=Markup(STYLESHEET),
    )
