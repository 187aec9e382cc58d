"""Phrases of invented notes by look: findings from harmless to severe, and sentences that say nothing of severity."""

from dataclasses import dataclass

from simulations.hospitals.phrases import ct_report, cytology, icu_notes, opinion, post


@dataclass(frozen=True)
class Phrases:
    """``findings``: for each the wordings of its steps, apart by a bar, in rising severity; ``neutral`` sentences;
    ``opening`` and ``closing`` of a document."""

    opening: tuple[str, ...]
    findings: tuple[tuple[str, ...], ...]
    neutral: tuple[str, ...]
    closing: tuple[str, ...]


BANKS = {
    name: Phrases(bank.OPENING, bank.FINDINGS, bank.NEUTRAL, bank.CLOSING)
    for name, bank in {
        "ct-report": ct_report,
        "icu-notes": icu_notes,
        "cytology": cytology,
        "opinion": opinion,
        "post": post,
    }.items()
}
