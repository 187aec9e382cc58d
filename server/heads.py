"""The head of each hospital's ledger, as it last gave it out: kept over runs, so that a ledger put back shows.

A hospital's ledger is chained (``client/chain.py``), and its head comes with every reply. The server brings it back
with the next question, also in the next run: a hospital whose ledger lacks it answers nothing until it is resolved.
"""

import json
from pathlib import Path

from server.disk import write_whole
from shared.errors import RunError


class Heads:
    """A small file, written whole after each head that is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._heads: dict[str, str] = {}
        if path.is_file():
            try:
                self._heads = {str(site): str(head) for site, head in json.loads(path.read_bytes()).items()}
            except (ValueError, AttributeError):
                raise RunError(
                    f"{path.name}, which holds the heads of the hospitals' ledgers, cannot be read: put back a copy of "
                    "it, or set it aside, and the hospitals' ledgers are taken as they are"
                ) from None

    def of(self, site: str) -> str | None:
        """The last head of a hospital; None if it never gave one."""
        return self._heads.get(site)

    def keep(self, site: str, head: str) -> None:
        """Note a hospital's head; it is on the disk when this returns."""
        if self._heads.get(site) != head:
            self._heads[site] = head
            write_whole(self._path, json.dumps(self._heads, indent=1, sort_keys=True).encode())
