"""``privacy_ledger.csv``: every private release of every hospital, as the hospitals reported them."""

import csv
from collections.abc import Sequence
from pathlib import Path

from server.record import RunRecord

COLUMNS = ("fold", "arm", "site", "stage", "round", "releases", "epsilon_of_the_run")


def write_ledger(records: Sequence[RunRecord], folder: Path) -> None:
    """Write the table; it has no rows where nothing was private."""
    with (folder / "privacy_ledger.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for record in records:
            for line in record.ledger:
                place = (record.run.fold, record.run.arm, line.site, line.stage, line.round)
                writer.writerow((*place, line.releases, f"{line.epsilon:.6g}"))
