"""How the report writes numbers and names, so that every page, table and terminal says them alike."""

from server.report.fields import CohortName
from server.report.results import Results

DASH = "–"
NOT_RUN = "not run"
DECIMALS = {
    **dict.fromkeys(("sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "prevalence", "kappa"), 2),
    **dict.fromkeys(("calibration_slope", "calibration_intercept", "citl", "oe_ratio", "hazard_ratio", "smd"), 2),
}
DEFAULT_DECIMALS = 3
COHORTS: dict[CohortName, str] = {"train": "Training", "internal": "Internal", "external": "External"}
METRICS = {
    "auc": "AUC",
    "auc_pooled": "AUC, pooled scores",
    "auc_macro": "AUC, mean of classes",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "brier_scaled": "Scaled Brier score",
    "c_index": "C-index",
    "calibration_intercept": "Calibration intercept",
    "calibration_slope": "Calibration slope",
    "citl": "Calibration in the large",
    "delong_p": "p of DeLong's test of the primary model against this one",
    "f1": "F1",
    "ici": "ICI",
    "log_rank_p": "p of the log-rank test between risk groups",
    "kappa": "Kappa",
    "kappa_model": "Kappa with the model",
    "mae": "Mean absolute error",
    "npv": "NPV",
    "oe_ratio": "O:E ratio",
    "ppv": "PPV",
    "quadratic_kappa": "Quadratic kappa",
    "r2": "R²",
    "r2_mean": "R², mean of horizons",
    "rmse": "Root mean squared error",
}
WEAK_CONCORDANCE = 0.6  # a C-index below it hardly tells who has the event earlier
TESTS = ("log_rank_p", "delong_p")
PROTECTION = {True: "under privacy", False: "no privacy"}


def number(value: float, metric: str) -> str:
    """A figure with the decimals of its metric: AUC 0.853, sensitivity 0.81; a p as ``p_value`` gives it."""
    if metric in TESTS:
        return p_value(value)
    text = f"{value:.{DECIMALS.get(metric, DEFAULT_DECIMALS)}f}"
    return text.replace("-", "−" if float(text) else "")


def printed(value: float, metric: str) -> str:
    """A figure of a paper, with no decimal less than it was printed with, as far as a number can remember them."""
    decimals = max(len(f"{value!r}".partition(".")[2]), DECIMALS.get(metric, DEFAULT_DECIMALS))
    return p_value(value) if metric in TESTS else f"{value:.{decimals}f}".replace("-", "−")


def printed_range(low: float, high: float, metric: str) -> str:
    """A paper's interval with the paper's decimals."""
    return printed(low, metric) + (" to " if low < 0 else DASH) + printed(high, metric)


def interval(low: float, high: float, metric: str) -> str:
    """A range with an en dash, or with "to" where a minus sign would meet the dash."""
    joint = " to " if low < 0 else DASH
    return number(low, metric) + joint + number(high, metric)


def plain(value: float) -> str:
    """A clinical value with as many decimals as it is large: 310, 62.4, 0.84."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, metric: str) -> str:
    """A difference with its sign."""
    text = number(value, metric)
    return f"+{text}" if value > 0 and float(text) else text


def p_value(p: float) -> str:
    """Three decimals, never "0.000"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_sign(p: float) -> str:
    """A p with its sign: "= 0.012" or "< 0.001"."""
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def with_interval(value: float, low: float | None, high: float | None, metric: str) -> str:
    """ "0.853 (0.801–0.902)"."""
    ends = "" if low is None or high is None else f" ({interval(low, high, metric)})"
    return number(value, metric) + ends


def tick(value: float) -> str:
    """A number at an axis: 0.25, 1, −0.1."""
    return f"{value:.6g}".replace("-", "−")


def count(value: int | None) -> str:
    """A number of patients; a dash where it is too small to report."""
    return DASH if value is None else f"{value}"


def counts(n: int | None, events: int | None) -> str:
    """Patients / events."""
    return DASH if n is None and events is None else f"{count(n)} / {count(events)}"


def size(n: int | None, events: int | None) -> str:
    """ "n 114, 49 events"."""
    if n is None and events is None:
        return "n not released"
    return f"n {count(n)}" + ("" if events is None else f", {events} events")


def power(value: float) -> str:
    """1e-4 rather than 0.0001 or 1e-04."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def unbroken(text: str) -> str:
    """A text that no line breaks."""
    return text.replace(" ", "\u00a0")


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
        f"{_validation(results)}."
    )


def _validation(results: Results) -> str:
    """What protects the patients of the validation."""
    rows = results.privacy.validation
    if not rows:
        return "validation figures are protected by aggregation, not by ε"
    epsilon, delta = max(row.epsilon or 0.0 for row in rows), max(row.delta or 0.0 for row in rows)
    return (
        f"validation ε {epsilon:.2f} (δ = {power(delta)}) per patient and run: its figures are of noised tallies alone"
    )
