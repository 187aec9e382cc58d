"""What follows from the released tallies of training patients: recalibration, and then the threshold, of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shared.evaluation_section import DeclaredThreshold
from shared.metrics.recalibration import recalibrated
from shared.metrics.threshold import youden
from shared.study import Study
from shared.wire import Line

UNCHANGED: Line = (0.0, 1.0)


@dataclass(frozen=True)
class Cuts:
    """By model: the threshold on the recalibrated logit, None where none could be chosen, and the recalibration."""

    thresholds: dict[str, float | None]
    recalibration: dict[str, Line] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def cuts_from(study: Study, models: Sequence[str], tallies: Mapping[str, npt.NDArray[np.float64]]) -> Cuts:
    """Recalibration and thresholds from summed tallies (2, cells) by model: post-processing, which costs no privacy."""
    asked, lines, notes = study.training.recalibrate, dict[str, Line](), []
    if asked != "none":
        for model in models:
            line = _line(tallies.get(model), asked == "intercept-slope")
            if line is None:
                notes.append(f"{model}: not recalibrated, the tallies of training patients determine no line")
                continue
            lines[model] = line
            notes.append(f"{model}: recalibrated log odds are {line[0]:+.2f} + {line[1]:.2f} x the model's own")
    thresholds = {model: _threshold(study, tallies.get(model), lines.get(model, UNCHANGED)) for model in models}
    fixed = {name: _logit(own.threshold) for name, own in study.nomograms.items()}
    return Cuts({**thresholds, **fixed}, lines, tuple(notes))


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _line(tally: npt.NDArray[np.float64] | None, with_slope: bool) -> Line | None:
    """A slope that the tally does not determine, as where the scores fill few cells, stays one."""
    if tally is None:
        return None
    return (recalibrated(tally, True) if with_slope else None) or recalibrated(tally, False)


def _threshold(study: Study, tally: npt.NDArray[np.float64] | None, line: Line) -> float | None:
    rule = study.evaluation.threshold
    if isinstance(rule, DeclaredThreshold):
        return _logit(rule.value)  # a probability, of the recalibrated kind
    cut = None if rule is None or tally is None else youden(tally)
    return None if cut is None else line[0] + line[1] * cut
