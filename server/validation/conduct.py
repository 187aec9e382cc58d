"""What each run did, as rows of ``results.json``: its rounds, and every private release."""

from collections.abc import Iterator

from server.record import RunRecord
from server.report.books import Release, Round


def round_rows(record: RunRecord) -> Iterator[Round]:
    """Who answered each round, and how long it took."""
    for row in record.rounds:
        yield Round(
            arm=record.run.arm,
            private=record.private,
            fold=record.run.fold,
            stage=row.stage,
            round=row.round,
            answered=row.answered,
            seconds=row.seconds,
        )


def release_rows(record: RunRecord) -> Iterator[Release]:
    """Every private release, as the hospitals reported them."""
    for row in record.ledger:
        yield Release(
            arm=record.run.arm,
            fold=record.run.fold,
            site=row.site,
            stage=row.stage,
            round=row.round,
            releases=row.releases,
            epsilon=row.epsilon,
        )
