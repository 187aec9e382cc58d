"""Readers and fixed scores that a paper tells of: printed tables as figures, with kappa and a check of accuracies."""

from collections.abc import Iterator

from server.report.results import Reader
from server.validation.consistency import Printed
from shared.metrics.agreement import cohen_kappa
from shared.metrics.classification import ConfusionTally, wilson
from shared.reader_table import ReaderTable
from shared.study import Study

PUBLISHED = "published, of the paper's patients"


def reader_rows(study: Study) -> Iterator[Reader]:
    """Sensitivity, specificity, accuracy and kappa of each table; of an accuracy alone what was printed."""
    for table in study.readers.values():
        yield from _alone(table) if table.accuracy is not None else _whole(table)


def _whole(table: ReaderTable) -> Iterator[Reader]:
    counts = ConfusionTally(table.tp or 0, table.fp or 0, table.tn or 0, table.fn or 0)
    n, events = sum(counts.cells), table.events
    where = {"reader": table.name, "cohort": table.cohort, "site": None, "n": n, "events": events, "note": PUBLISHED}
    for metric in ("sensitivity", "specificity", "accuracy"):
        right, of = counts.proportions[metric]
        low, high = wilson(right, of)
        yield Reader.model_validate({**where, "metric": metric, "estimate": right / of, "low": low, "high": high})
    tp, fp, tn, fn = counts.cells
    found = cohen_kappa([[tp, fp], [fn, tn]])
    values = {"estimate": found.kappa, "low": found.low, "high": found.high} if found else {"estimate": None}
    reason = None if found else "chance alone would agree"
    yield Reader.model_validate({**where, "metric": "kappa", **values, "reason": reason})


def _alone(table: ReaderTable) -> Iterator[Reader]:
    assert table.accuracy is not None
    impossible = table.patients is not None and not Printed.of(table.accuracy).counts(table.patients)
    flag = f"; no whole number of {table.patients} patients gives it" if impossible else ""
    yield Reader(
        reader=table.name,
        cohort=table.cohort,
        site=None,
        metric="accuracy",
        estimate=table.accuracy,
        n=table.patients,
        events=None,
        note=PUBLISHED + flag,
    )
