"""What an audit found: one line an attack, what it means in words, and the files it is kept in."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.study import Study

Measure = Literal["epsilon", "auc", "tpr", "cosine"]
Verdict = Literal["holds", "violated", "unprotected", "leaks", "nothing found"]
MEASURES: dict[Measure, str] = {
    "epsilon": "ε at least",
    "auc": "AUC",
    "tpr": "TPR at 1 %",
    "cosine": "cosine",
}


@dataclass(frozen=True)
class Finding:
    """One attack on training with or without privacy; ``how`` is what it did.

    ``declared`` is the epsilon that the program claims for what was attacked, ``value`` a lower bound of epsilon or the
    attack's success, ``low`` and ``high`` its 95 % interval. ``ceiling`` is the largest bound that so many trials could
    show, or the success that the guarantee allows. ``noticed`` is the true epsilon from which on 4 of 5 audits would
    call the claim violated (None: none).
    """

    attack: str
    setting: str
    private: bool
    measure: Measure
    value: float
    trials: int
    verdict: Verdict
    words: str
    how: str
    declared: float | None = None
    low: float | None = None
    high: float | None = None
    ceiling: float | None = None
    noticed: float | None = None
    curve: tuple[tuple[float, float], ...] = ()  # (false positive rate, true positive rate)


def violations(findings: Sequence[Finding]) -> list[Finding]:
    """Lines that refute the program's claim."""
    return [finding for finding in findings if finding.verdict == "violated"]


def epsilon_verdict(shown: float, declared: float | None) -> tuple[Verdict, str]:
    """What a lower bound of epsilon says about the declared one, for the table."""
    if declared is None:
        return "unprotected", "unprotected"
    if shown > declared:
        return "violated", "VIOLATED: loses more than is declared"
    return "holds", "not refuted"


def write_findings(study: Study, findings: Sequence[Finding], folder: Path) -> None:
    """``audit.json`` with everything and ``audit.csv`` with the table."""
    lines = [dataclasses.asdict(finding) for finding in findings]
    content: dict[str, Any] = {"study": study.name, "digest": study.digest, "findings": lines}
    (folder / "audit.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    names = [field.name for field in dataclasses.fields(Finding) if field.name != "curve"]
    with (folder / "audit.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(lines)
