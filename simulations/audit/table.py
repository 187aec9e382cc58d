"""The findings as a table for the terminal, in about 110 columns."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from simulations.audit.bounds import CONFIDENCE
from simulations.audit.findings import MEASURES, Finding, violations

DASH = "–"
STYLES = {"violated": "bold red", "leaks": "red", "unprotected": "dim"}
NOTES = (
    f"declared: ε of what is attacked. Its bounds hold all together with {CONFIDENCE * 100:.0f} % confidence.",
    "at most: the largest bound that so many trials could show; of membership, what the guarantee allows.",
    "noticed: the true ε from which on 4 of 5 audits would find a violation (–: none).",
    "cosine: of what sets a patient apart with what the update says of him; the median and 95 % of the patients.",
    "TPR at 1 %: members found while 1 % of fresh patients are called members.",
)
VIOLATED = "VIOLATED: training loses more than it declares."
HOLDS = "No violation found. An audit can refute a guarantee, never prove it; what it could notice is in the table."


def findings_table(findings: Sequence[Finding]) -> Table:
    """A row a finding, the verdict under the table."""
    table = Table(
        title="Audit",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.caption = Text("\n".join((*NOTES, verdict(findings))))
    table.caption_justify, table.caption_style = "left", "none"
    for name in ("attack", "privacy", "declared", "found", "at most", "noticed", "trials", "verdict"):
        right = name in ("declared", "at most", "noticed", "trials")
        table.add_column(name, justify="right" if right else "left", no_wrap=name == "attack")
    shown = ""
    for finding in findings:
        if shown and finding.attack != shown:
            table.add_section()
        attack = Text.assemble((finding.attack, "bold"), "\n", finding.setting)
        table.add_row(
            attack,
            "with" if finding.private else "without",
            _number(finding.declared),
            found(finding),
            _number(finding.ceiling),
            _number(finding.noticed),
            str(finding.trials),
            Text(_told(finding), style=STYLES.get(finding.verdict, "")),
        )
        shown = finding.attack
    return table


def found(finding: Finding) -> str:
    """The figure with its name and interval."""
    if finding.measure == "epsilon":
        return f"ε ≥ {finding.value:.2f}"
    text = f"{MEASURES[finding.measure]} {_signed(finding.value)}"
    if finding.low is None or finding.high is None:
        return text
    return f"{text}\n{_signed(finding.low)} to {_signed(finding.high)}"


def verdict(findings: Sequence[Finding]) -> str:
    """The audit in one sentence."""
    return VIOLATED if violations(findings) else HOLDS


def _told(finding: Finding) -> str:
    return f"{finding.words} ({finding.how})" if finding.verdict == "violated" else finding.words


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"
