"""A named person signs off that the ledger lacks lines: what is still known to be spent is entered, and it goes on."""

from pathlib import Path

from client.egress_log import EgressLog, missing_heads
from client.ledger_file import LedgerFile
from client.site import load_site
from client.state import locked
from shared.command_line import DONE
from shared.privacy.records import Spend


def resolve(site_file: Path, person: str, reason: str) -> int:
    """The command; says what was entered again, and what cannot be known here."""
    site = load_site(site_file)
    with locked(site.state):
        ledger, egress = LedgerFile(site.state), EgressLog(site.state)
        missing = sorted(missing_heads(egress.links, ledger.heads))
        if not missing:
            print("The ledger has every line whose hash was given out; there is nothing to sign off.")
            return DONE
        lost = _lost(ledger, egress)
        for spend in lost:  # before the signature: after a crash between the two it is signed again, nothing is lost
            ledger.append(spend)
        egress.sign_off(person, reason, missing, len(lost))
    print(
        f"Signed off by {person}. Entered in the ledger again from the egress log: {len(lost)} releases. A release "
        "that stands in neither is not counted here: the coordinator's privacy_ledger.csv of each study shows it."
    )
    return DONE


def _lost(ledger: LedgerFile, egress: EgressLog) -> list[Spend]:
    """Releases in the egress log that the ledger lacks or has otherwise, each once, oldest first."""
    lost = {}
    for link in egress.links:
        if values := link.values.get("spend"):
            spend = Spend.model_validate(values)
            if spend not in ledger.spends:
                lost[spend.digest] = spend
    return list(lost.values())
