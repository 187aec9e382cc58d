"""Rules of what a training step reads, and the advice that goes with a hospital's size."""

from collections.abc import Iterator

from shared.study import DpSgd, Study

LARGE = 1000  # patients of a hospital; from about here sampling costs less than it saves


def sampling_faults(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every broken rule as place, rule, remedy."""
    training = study.training
    if (training.sampling == "poisson") != (training.sample_rate is not None):
        rule = 'stands with sampling = "poisson", and only there'
        yield "training.sample_rate", rule, "add it, for instance 0.1, or remove it"
    if (training.sampling == "shuffled") != (training.batch is not None):
        rule = 'stands with sampling = "shuffled", and only there'
        yield "training.batch", rule, "add it, for instance 16, or remove it"
    if training.sampling == "shuffled" and isinstance(study.privacy, DpSgd):
        rule = "no accountant covers shuffled batches as they are made"
        yield "training.sampling", rule, 'take "full" or "poisson" under dp-sgd'
    if training.learning_rate * (training.weight_decay + training.proximal) >= 1:
        rule = "learning_rate * (weight_decay + proximal) must be below 1, else a step overshoots what it pulls to"
        yield "training.proximal" if training.proximal else "training.weight_decay", rule, "lower one of them"


def sampling_warnings(study: Study) -> Iterator[str]:
    """What a larger hospital should know."""
    largest = max(site.patients for site in study.sites.values())
    if study.training.sampling == "full" and largest > LARGE:
        yield (
            f'training.sampling = "full" reads {largest} patients in each step; above about {LARGE}, "poisson" with a '
            "sample_rate of some tenths or hundredths is faster, and more steps fit into the same epsilon"
        )
