"""How this hospital stands: whether its agent runs, when it last answered, what is approved, spent and left."""

import json
import shutil
from pathlib import Path
from typing import Any

from client.approvals import APPROVED, decisions, holds, today
from client.chain import read_chain
from client.ledger_file import UNREADABLE, spend_of
from client.site import Site, load_site
from client.state import AGENT_LOCK, EGRESS, JOIN_LOCK, LEDGER, holder
from shared.command_line import DONE, FAILED
from shared.errors import PrivacyRefusal
from shared.privacy.records import Spend, spent

ROOM = 1_000_000_000  # bytes free on the disk below which releases are at risk


def status(site_file: Path, as_json: bool) -> int:
    """The command; exit code 0 where all is well, 1 where somebody must look."""
    found = findings(load_site(site_file))
    if as_json:
        print(json.dumps(found))
    else:
        _print(found)
    return DONE if found["healthy"] else FAILED


def findings(site: Site) -> dict[str, Any]:
    """All that the page shows; what is wrong stands in "problems", a sentence each."""
    problems: list[str] = []
    spends, studies = _spends(site, problems), _studies(site, problems)
    egress = read_chain(site.state / EGRESS)
    if egress.breaks:
        problems.append("the egress log does not hold together: egress --verify")
    agent = holder(site.state, AGENT_LOCK) is not None
    if not agent:
        problems.append("the agent is not running: join, or agent")
    free = shutil.disk_usage(site.state if site.state.is_dir() else site.data).free
    if free < ROOM:
        problems.append(f"only {free / 1e6:.0f} MB are free on the disk of the state folder")
    for study in studies:
        own = [spend for spend in spends if spend.run.study == study["digest"]]
        study["epsilon"] = spent(own, own[-1].delta) if own else 0.0
    delta = min((spend.delta for spend in spends), default=None)
    used = spent(spends, delta) if delta else 0.0
    limit = site.limits.max_epsilon
    last = egress.links[-1].values if egress.links else None
    return {
        "name": site.name,
        "healthy": not problems,
        "problems": problems,
        "agent": agent,
        "joined": holder(site.state, JOIN_LOCK) is not None,
        "last": {key: last.get(key) for key in ("time", "kind", "code")} if last else None,
        "studies": studies,
        "epsilon": {"spent": used, "left": max(limit - used, 0.0), "limit": limit, "delta": delta},
        "free_bytes": free,
    }


def _spends(site: Site, problems: list[str]) -> list[Spend]:
    try:
        reading = read_chain(site.state / LEDGER)
        if reading.breaks:
            raise PrivacyRefusal(*UNREADABLE)
        return [spend_of(link) for link in reading.links]
    except PrivacyRefusal as refusal:
        problems.append(refusal.sentence)
        return []


def _studies(site: Site, problems: list[str]) -> list[dict[str, Any]]:
    try:
        known = decisions(site.state)
    except PrivacyRefusal as refusal:
        problems.append(refusal.sentence)
        return []
    return [
        {
            "name": link.values["name"],
            "digest": digest,
            "state": "ended"
            if link.values["kind"] == APPROVED and not holds(link.values, today())
            else link.values["kind"],
            "until": link.values.get("until"),
        }
        for digest, link in known.items()
    ]


def _print(found: dict[str, Any]) -> None:
    from client.page import columns, page

    console, budget, last = page(), found["epsilon"], found["last"]
    console.print(found["name"], style="bold")
    console.print(
        f"agent {'runs' if found['agent'] else 'does not run'}; {'joined' if found['joined'] else 'not joined'}"
    )
    told = " ".join(str(value) for value in last.values() if value) if last else "none yet"
    console.print(f"last answer: {told}")
    at = f" at delta {budget['delta']:g}" if budget["delta"] else ""
    console.print(f"epsilon over all studies: spent {budget['spent']:.3f}, left {budget['left']:.3f}{at}")
    console.print(f"free on the disk: {found['free_bytes'] / 1e9:.1f} GB")
    table = columns("study", "digest", "state", "until", "epsilon")
    for study in found["studies"]:
        named = (study["name"], study["digest"][:12], study["state"], study["until"] or "")
        table.add_row(*named, f"{study['epsilon']:.3f}")
    if table.rows:
        console.print(table)
    for problem in found["problems"]:
        console.print(f"! {problem}", style="bold", soft_wrap=True)
