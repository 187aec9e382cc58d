"""Makes the results and the report of a folder from the records of its runs."""

from pathlib import Path

from server.record import load_records
from server.report.write import write_report
from server.validation.assemble import assemble
from server.validation.ledger import write_ledger
from shared.study import Study


def write_all(study: Study, folder: Path, engine: str) -> None:
    """``results.json``, the ledger and the report."""
    records = load_records(folder)
    outcome = assemble(study, records, engine, {}, sum(record.seconds for record in records))
    outcome.write(folder)
    write_report(outcome, folder)
    write_ledger(records, folder)
