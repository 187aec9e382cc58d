"""The model card as a file: one page of Markdown that travels with the weights."""

import html
import textwrap
from collections.abc import Sequence

from server.report.sections.model_card import card_terms
from server.report.view import View


def markdown_card(view: View) -> str:
    """The card's text."""
    study = view.results.study
    parts = [(title, lines) for title, lines in card_terms(view) if lines]
    body = "\n".join(f"\n## {title}\n\n{_list(lines)}" for title, lines in parts)
    return f"# Model card: {_plain(study.title)}\n\nModel: `{study.primary}`, {view.main.text}\n{body}\n"


def _list(lines: Sequence[str]) -> str:
    texts = [textwrap.fill(_plain(line), 110, subsequent_indent="  ", break_long_words=False) for line in lines]
    return "\n".join(f"- {text}" for text in texts)


def _plain(text: str) -> str:
    """Text that Markdown does not take for markup of another page."""
    return html.escape(" ".join(text.split()), quote=False)
