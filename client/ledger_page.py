"""Prints what patients of this hospital have spent, by run and over all studies, and says in words what it means."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from client.chain import read_chain
from client.ledger_file import UNREADABLE, spend_of
from client.page import columns, page
from client.site import load_site
from client.state import EGRESS, LEDGER
from shared.command_line import DONE
from shared.errors import PrivacyRefusal
from shared.privacy.accounting import detection
from shared.privacy.records import RunKey, Spend, spent

WRONGLY = 0.05  # of the patients whose record was not used


def print_ledger(site_file: Path) -> int:
    """The command; PrivacyRefusal if the ledger does not hold together."""
    site, console = load_site(site_file), page()
    reading = read_chain(site.state / LEDGER)
    if reading.breaks:
        raise PrivacyRefusal(*UNREADABLE)
    spends = [spend_of(link) for link in reading.links]
    console.print(f"Privacy ledger of {site.name}: epsilon that its patients have spent", style="bold")
    if spends:
        console.print(_runs(spends))
        _print_total(spends, site.limits.max_epsilon, console)
    else:
        console.print("Nothing was released under privacy.")
    links = read_chain(site.state / EGRESS).links
    if bare := sum(bool(link.values.get("arrays")) and link.values["epsilon"] is None for link in links):
        console.print(f"Beside these, {bare} messages with what was trained left without privacy: nothing bounds them.")
    return DONE


def _runs(spends: Sequence[Spend]) -> Table:
    """A line for the patients who train in a run, and one for those who validate where they have a budget."""
    lines: dict[tuple[RunKey, bool], list[Spend]] = {}
    for spend in spends:
        lines.setdefault((spend.run, spend.validates), []).append(spend)
    runs = columns("study", "digest", "fold", "arm", "patients", "releases", "epsilon", "left", "delta")
    for (run, validates), group in lines.items():
        last, releases = group[-1], sum(spend.steps for spend in group)
        used = spent(group, last.delta)
        numbers = (str(releases), f"{used:.3f}", f"{max(last.budget - used, 0.0):.3f}", f"{last.delta:g}")
        whose = "validation" if validates else "training"
        runs.add_row(last.study_name, run.study[:12], run.fold, run.arm, whose, *numbers)
    return runs


def _print_total(spends: Sequence[Spend], limit: float, console: Console) -> None:
    delta = min(spend.delta for spend in spends)
    total = spent(spends, delta)
    console.print(
        f"Over all studies: epsilon {total:.3f} at delta {delta:g}; this hospital allows {limit:g}, "
        f"and {max(limit - total, 0.0):.3f} is left."
    )
    console.print(f"In words: {in_words(spends)}")


def in_words(spends: Sequence[Spend]) -> str:
    """What all releases together tell about one patient: the best test of whether his record was used."""
    found = 100 * detection([spend.release for spend in spends], WRONGLY)
    share = f"{found:.0f}" if found < 99 else f"{found:.4g}"
    return (
        "whoever has seen all of these releases and knows every other patient's record, and tries to tell whether one "
        f"patient's record was used, finds at most {share} of 100 whose record was, if he wrongly names "
        f"{100 * WRONGLY:.0f} of 100 whose record was not."
    )
