"""Readers, fixed scores and other models that a paper tells of: printed tables as figures, and printed figures."""

from collections.abc import Iterator

from server.report.results import Reader
from server.validation.consistency import MEASURES, Printed, tables_of
from shared.metrics.agreement import cohen_kappa
from shared.metrics.classification import ConfusionTally, wilson
from shared.reader_table import ReaderTable
from shared.study import Study

PUBLISHED = "published, of the paper's patients"


def reader_rows(study: Study) -> Iterator[Reader]:
    """Sensitivity, specificity, accuracy and kappa of each table; of the others what was printed, checked."""
    for table in study.readers.values():
        if table.whole:
            yield from _whole(table)
        else:
            yield from _printed(study, table)


def _whole(table: ReaderTable) -> Iterator[Reader]:
    counts = ConfusionTally(table.tp or 0, table.fp or 0, table.tn or 0, table.fn or 0)
    n, events = sum(counts.cells), table.events
    where = {"reader": table.name, "cohort": table.cohort, "site": None, "n": n, "events": events}
    for metric in ("sensitivity", "specificity", "accuracy"):
        right, of = counts.proportions[metric]
        low, high = wilson(right, of)
        note = _note(table, metric)
        yield Reader.model_validate(
            {**where, "metric": metric, "estimate": right / of, "low": low, "high": high, "note": note}
        )
    tp, fp, tn, fn = counts.cells
    found = cohen_kappa([[tp, fp], [fn, tn]])
    values = {"estimate": found.kappa, "low": found.low, "high": found.high} if found else {"estimate": None}
    reason = None if found else "chance alone would agree"
    note = _note(table, "kappa")
    yield Reader.model_validate({**where, "metric": "kappa", **values, "reason": reason, "note": note})


def _note(table: ReaderTable, metric: str) -> str:
    """Where the figure comes from, and how the paper printed it where it did."""
    value = table.printed.get(metric)  # type: ignore[call-overload]
    return PUBLISHED + (f"; printed as {value[0]:g}" if value else "")


def _printed(study: Study, table: ReaderTable) -> Iterator[Reader]:
    flag = _flag(study, table)
    for metric, (estimate, low, high) in table.printed.items():
        yield Reader(
            reader=table.name,
            cohort=table.cohort,
            site=None,
            metric=metric,
            estimate=estimate,
            low=low,
            high=high,
            n=table.patients,
            events=None,
            note=PUBLISHED + (flag if metric in MEASURES else ""),
        )


def _flag(study: Study, table: ReaderTable) -> str:
    """What is odd about shares that were printed together for the paper's patients, or about an accuracy of its own."""
    shares: dict[str, Printed] = {
        name: Printed.of(value[0]) for name, value in table.printed.items() if name in MEASURES
    }
    if table.cohort in study.evaluation.published_patients and shares:
        patients, events = study.evaluation.published_patients[table.cohort]
        possible = tables_of(patients, shares, range(events, events + 1))
        told = f"; no table of {patients} patients, {events} with the event, gives these figures"
        return told if possible == [] else ""
    accuracy = shares.get("accuracy")
    if accuracy is None or table.patients is None or accuracy.counts(table.patients):
        return ""
    return f"; no whole number of {table.patients} patients gives it"
