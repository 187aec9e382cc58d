"""What each run did, as rows of ``results.json``: its rounds, and every private release, what was sealed."""

import hashlib
import json
from collections.abc import Iterator

from server.record import RunRecord
from server.report.books import Release, Round, Seal


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


def seal_rows(record: RunRecord) -> Iterator[Seal]:
    """The frozen models that each external hospital answered for, and answers no others of this run."""
    for site, figures in sorted(record.figures.items()):
        if any(own.role == "external" for own in figures):
            yield Seal(
                arm=record.run.arm,
                private=record.private,
                fold=record.run.fold,
                site=site,
                models=record.models,
                thresholds=hashlib.sha256(json.dumps(record.thresholds, sort_keys=True).encode()).hexdigest(),
            )
