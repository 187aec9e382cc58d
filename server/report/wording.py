"""How the report writes numbers and names, so that every page, table and terminal says them alike."""

from server.report.fields import CohortName
from server.report.results import Results

DASH = "–"
NOT_RUN = "not run"
DECIMALS = {"sensitivity": 2, "specificity": 2}
DEFAULT_DECIMALS = 3
COHORTS: dict[CohortName, str] = {"train": "Training", "internal": "Internal", "external": "External"}
METRICS = {"auc": "AUC", "brier": "Brier score"}
PROTECTION = {True: "under privacy", False: "no privacy"}


def number(value: float, metric: str) -> str:
    """A figure with the decimals of its metric: AUC 0.853, sensitivity 0.81."""
    return f"{value:.{DECIMALS.get(metric, DEFAULT_DECIMALS)}f}".replace("-", "−")


def interval(low: float, high: float, metric: str) -> str:
    """A range with an en dash, or with "to" where a minus sign would meet the dash."""
    joint = " to " if low < 0 else DASH
    return number(low, metric) + joint + number(high, metric)


def p_value(p: float) -> str:
    """Three decimals, never "0.000"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(value: int | None) -> str:
    """A number of patients; a dash where it is too small to report."""
    return DASH if value is None else f"{value}"


def counts(n: int | None, events: int | None) -> str:
    """Patients / events."""
    return DASH if n is None and events is None else f"{count(n)} / {count(events)}"


def power(value: float) -> str:
    """1e-4 rather than 0.0001 or 1e-04."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def model_name(model: str) -> str:
    """A model in a table, set so that a line breaks before a plus sign only."""
    return model.replace("+", " +\u00a0")


def metric_name(metric: str) -> str:
    """The name of a metric in a table."""
    return METRICS.get(metric, metric.replace("_", " ").capitalize())


def arm_name(arm: str) -> str:
    """An arm in words: "alone:north" is "alone at north"."""
    return arm.replace("alone:", "alone at ")


def places(names: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def patients(n: int) -> str:
    """A number of patients in words."""
    return f"{n} patient" if n == 1 else f"{n} patients"


def privacy_line(results: Results) -> str:
    """The report's first line: what protects the patients, or that nothing does."""
    if results.privacy.mechanism == "none":
        return 'No differential privacy: this study was run with mechanism = "none".'
    epsilons = [row.epsilon for row in results.privacy.sites if row.epsilon is not None]
    deltas = [row.delta for row in results.privacy.sites if row.delta is not None]
    sign = "=" if f"{min(epsilons):.2f}" == f"{max(epsilons):.2f}" else "≤"
    return (
        f"Training ε {sign} {max(epsilons):.2f} (δ = {power(max(deltas))}) per patient, per run, at each hospital; "
        "validation figures are protected by aggregation, not by ε."
    )
