"""The model card: one page of Markdown that travels with the weights."""

import html
import textwrap

from server.report.summary import cohort_lines, design, limits, main_lines
from server.report.view import View
from server.report.wording import privacy_line


def model_card(view: View) -> str:
    """What the primary model is for, what it learnt from, how well it does, and where to stop trusting it."""
    study = view.results.study
    predicted = f" It predicts: {study.outcome}." if study.outcome else ""
    parts = {
        "Privacy": [privacy_line(view.results)],
        "Intended use": [
            f"Research on federated training, in the population of this study.{predicted} "
            "Not for clinical use: not to diagnose, to triage or to choose a treatment."
        ],
        "Data": [design(view), *cohort_lines(view)],
        "Performance": list(main_lines(view, view.main)),
        "Limits": list(limits(view).points),
        "Version": [
            f"Study {study.name}, digest {study.digest}, seed {view.results.seed}, engine {view.results.engine}."
        ],
    }
    body = "\n".join(f"\n## {title}\n\n{_list(lines)}" for title, lines in parts.items())
    return f"# Model card: {_plain(study.title)}\n\nModel: `{study.primary}`, {view.main.text}\n{body}\n"


def _list(lines: list[str]) -> str:
    texts = [textwrap.fill(_plain(line), 110, subsequent_indent="  ", break_long_words=False) for line in lines]
    return "\n".join(f"- {text}" for text in texts)


def _plain(text: str) -> str:
    """Text that Markdown does not take for markup of another page."""
    return html.escape(" ".join(text.split()), quote=False)
