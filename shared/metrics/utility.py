"""What decisions by a risk are worth: net benefit (Vickers and Elkin 2006), also of censored outcomes."""

import numpy as np

from shared.metrics.kaplan_meier import survival_at
from shared.metrics.tally import Floats


def net_benefit(outcome: Floats, risk: Floats, thresholds: Floats) -> Floats:
    """TP/n - FP/n t/(1 - t) at each threshold of the risk, (thresholds,); at or above it a patient is treated."""
    treated = risk >= thresholds[:, None]
    true, false = treated @ outcome, treated @ (1 - outcome)
    return benefit_of_counts(true, false, len(outcome), thresholds)


def benefit_of_counts(true_positives: Floats, false_positives: Floats, n: int, thresholds: Floats) -> Floats:
    """Net benefit from counts, which add up over sites."""
    return (true_positives - false_positives * thresholds / (1 - thresholds)) / n


def treat_all(prevalence: float, thresholds: Floats) -> Floats:
    """Net benefit of treating everybody; treating nobody has 0."""
    return prevalence - (1 - prevalence) * thresholds / (1 - thresholds)


def avoided(benefit: Floats, prevalence: float, thresholds: Floats) -> Floats:
    """Interventions avoided a patient against treating everybody, without missing more events."""
    return (benefit - treat_all(prevalence, thresholds)) * (1 - thresholds) / thresholds


def survival_net_benefit(time: Floats, event: Floats, risk: Floats, horizon: float, thresholds: Floats) -> Floats:
    """Net benefit of a risk of the event by ``horizon``, by Kaplan-Meier among the treated (Vickers 2008)."""
    values = []
    for threshold in thresholds:
        treated = risk >= threshold
        share = treated.mean()
        alive = survival_at(time[treated], event[treated], horizon) if treated.any() else 1.0
        values.append(share * (1 - alive) - share * alive * threshold / (1 - threshold))
    return np.array(values)
