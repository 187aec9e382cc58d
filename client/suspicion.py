"""Input columns that alone tell the outcome too well: one that knows the answer must not reach a model.

Looked at by the hospital's own check, and by simulations: no figure of it is printed, kept or sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from client.archive import Archive
from client.check import Findings
from client.readers.reading import Reading
from shared.metrics.delong import auc_with_variance, logit_interval
from shared.outcomes.base import OutcomeSection
from shared.study import Study

SUSPICIOUS = 0.98  # AUC of one column, above which it is told,
AT_LEAST = 0.95  # where its 95 % interval stays above this: of some columns of 40 units one is at .98 by chance
FEWEST = 10  # units of each class, below which chance alone does it
MOST, FOLDS, SEED = 2000, 5, 0  # texts that are learned from, and parts of them
Floats = npt.NDArray[np.float64]
Event = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """A yes-or-no question of the outcome: (units,) whether it is so, and whether that is known."""

    event: Event
    known: Event


@dataclass(frozen=True)
class Score:
    """What a column says of each unit, (units,) NaN where it says nothing, given the event that is asked for."""

    column: str
    of: Callable[[Question], Floats]


def suspicious(found: Findings) -> Iterator[str]:
    """A sentence for each column whose AUC is above SUSPICIOUS, and surely above AT_LEAST.

    Only where both classes have ``min_class`` units. A text or list of codes is scored by a model that never saw the
    patient.
    """
    study, archive = found.study, Archive(found.site)
    truth = found.cohort.outcome.astype(np.float64)
    questions = _questions(study.outcome, truth)
    for name, modality in study.modalities.items():
        scores = SCORES.get(modality.kind)
        if scores is None:
            continue
        spec = modality.model_copy(update={"indicators": True}) if modality.kind == "tabular" else modality
        readings = archive.raw(study, spec)
        told = dict[str, None]()
        for score in (_recorded(modality, readings), *scores(spec, readings, found.cohort.owner)):
            if any(_separates(score.of(own), own, found.site.limits.min_class) for own in questions):
                told[score.column] = None
        yield from (_sentence(name, column, study) for column in told)


def _sentence(modality: str, column: str, study: Study) -> str:
    return (
        f"{modality}: {column} alone separates the outcome almost perfectly: suspiciously good; "
        f"was it really known at the prediction ({study.outcome.predicted_at})?"
    )


def _questions(outcome: OutcomeSection, truth: Floats) -> list[Question]:
    """Every question that the outcome answers; whether there was an event, where it has no others."""
    n = len(truth)
    targets = outcome.targets(truth, np.zeros((n, outcome.outputs))).values()
    if not targets:
        had = outcome.events(truth)
        return [] if had is None else [Question(had, np.ones(n, dtype=np.bool_))]
    questions = []
    for target in targets:
        event = np.zeros(n, dtype=np.bool_)
        event[target.known] = target.event == 1
        questions.append(Question(event, target.known))
    return questions


def _separates(score: Floats, question: Question, smallest: int) -> bool:
    here = question.known & np.isfinite(score)
    event = question.event[here]
    if min(event.sum(), (~event).sum()) < max(smallest, FEWEST):
        return False
    area, variance = auc_with_variance(event, score[here])
    area = max(area, 1 - area)
    interval = logit_interval(area, variance)  # none around one
    return area > SUSPICIOUS and (interval is None or interval[0] > AT_LEAST)


def _fixed(column: str, values: Any) -> Score:
    """A score that no event can change."""
    return Score(column, lambda _: np.asarray(values, dtype=np.float64))


def _recorded(modality: Any, readings: Sequence[Reading]) -> Score:
    """Whether a unit has the modality at all."""
    return _fixed(f"whether {_source(modality)} is there", [reading.tensor is not None for reading in readings])


def _source(modality: Any) -> str:
    """Where a modality comes from, in words."""
    column = getattr(modality, "column", "")
    table = getattr(modality, "table", "")
    return f'column "{column}"' if column else f"{table or getattr(modality, 'path', '') or 'its part'}"


def _stacked(readings: Sequence[Reading]) -> Floats:
    """(units, ...) with NaN for those without the modality; (0,) if nobody has it."""
    have = [reading.tensor for reading in readings if reading.tensor is not None]
    if not have:
        return np.zeros(0)
    values = np.full((len(readings), *have[0].shape), np.nan)
    values[[reading.tensor is not None for reading in readings]] = np.stack([tensor.numpy() for tensor in have])
    return values


def _of_table(spec: Any, readings: Sequence[Reading], owner: Any) -> Iterator[Score]:
    """Each number, each category's words by how many of them have the event, and whether each was recorded."""
    values = _stacked(readings)
    if not values.size:
        return
    first = values.shape[1] - len(spec.columns)  # of the missing indicators
    at = 0
    for number, (name, column) in enumerate({**spec.numeric, **spec.categorical}.items()):
        missing = values[:, first + number]
        yield _fixed(f'whether column "{name}" is recorded', missing)
        width = 1 if name in spec.numeric else len(column.values)
        own = np.where(missing[:, None] == 0, values[:, at : at + width], np.nan)
        yield _fixed(f'column "{name}"', own[:, 0]) if width == 1 else Score(f'column "{name}"', _by_rate(own))
        at += width


def _by_rate(words: Floats) -> Callable[[Question], Floats]:
    """Each unit's share of events among the units with its word."""

    def score(question: Question) -> Floats:
        known = question.known[:, None] & (words == 1)
        rate = (known & question.event[:, None]).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.asarray(words @ rate, dtype=np.float64)

    return score


def _of_series(spec: Any, readings: Sequence[Reading], owner: Any) -> Iterator[Score]:
    """Each variable's lowest, highest and last value, and how often it was measured."""
    values = _stacked(readings)
    for place, name in enumerate(spec.variables if values.size else ()):
        mean, low, high, seen = np.moveaxis(values[:, :, place], -1, 0)
        column, here = f'variable "{name}"', seen == 1
        last = np.where(here.any(axis=1), mean.shape[1] - 1 - here[:, ::-1].argmax(axis=1), 0)
        known = np.where(here.any(axis=1), 0.0, np.nan)
        yield _fixed(column, mean[np.arange(len(mean)), last] + known)
        yield _fixed(column, np.where(here, low, np.inf).min(axis=1) + known)
        yield _fixed(column, np.where(here, high, -np.inf).max(axis=1) + known)
        yield _fixed(f"how often {column} is measured", here.sum(axis=1))


def _of_text(spec: Any, readings: Sequence[Reading], owner: Any) -> Iterator[Score]:
    """Its words and pairs of words."""
    texts = [
        None if reading.tensor is None else reading.tensor.numpy().tobytes().rstrip(b"\0").decode("utf-8", "ignore")
        for reading in readings
    ]
    yield Score(_source(spec), _learned(texts, owner, {"ngram_range": (1, 2), "token_pattern": r"\w+"}))


def _of_concepts(spec: Any, readings: Sequence[Reading], owner: Any) -> Iterator[Score]:
    """Its codes."""
    codes = [None if reading.tensor is None else [c for c in reading.tensor.tolist() if c] for reading in readings]
    yield Score(_source(spec), _learned(codes, owner, {"analyzer": list}))


def _learned(documents: Sequence[Any], owner: Any, words: dict[str, Any]) -> Callable[[Question], Floats]:
    """Scores by a logistic regression that was fitted to other patients; NaN for units that were not looked at."""

    def score(question: Question) -> Floats:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

        found = np.full(len(documents), np.nan)
        there = np.flatnonzero(question.known & np.array([document is not None for document in documents]))
        place = np.sort(np.random.default_rng(SEED).permutation(there)[:MOST])
        event = question.event[place]
        if min(event.sum(), (~event).sum()) < FOLDS or len(np.unique(owner[place])) < 2 * FOLDS:
            return found
        try:
            counted = CountVectorizer(binary=True, min_df=3, **words).fit_transform([documents[p] for p in place])
        except ValueError:  # no word is in three of them
            return found
        folds = StratifiedGroupKFold(FOLDS)
        model = LogisticRegression(solver="liblinear", random_state=SEED)
        found[place] = cross_val_predict(
            model, counted, event, groups=owner[place], cv=folds, method="decision_function"
        )
        return found

    return score


SCORES: dict[str, Callable[[Any, Sequence[Reading], Any], Iterator[Score]]] = {
    "tabular": _of_table,
    "series": _of_series,
    "text": _of_text,
    "concepts": _of_concepts,
}
