"""Can a model learn under the study's privacy at all? Told before training, from public numbers only.

T full-batch steps move the weights by at most T n C in a common direction, and the noise moves them by
sigma C sqrt(d T), with sigma = sqrt(T / share) / mu: the ratio n mu sqrt(share) / sqrt(d) knows neither T nor C.
Averaging over S hospitals of equal size adds a factor sqrt(S).
"""

import math

from shared.cohorts import folds, training_patients
from shared.encoders import ENCODERS
from shared.heads import Outputs, own_head
from shared.modalities import Modality
from shared.privacy.accounting import gaussian_mu
from shared.study import DpSgd, Study
from shared.study_rules import READS_WEIGHTS

# Measured on 235 patients at two hospitals: below it, convolutional networks trained from scratch are erratic.
ENOUGH = 3.0


def learnable_parameters(study: Study) -> int | None:
    """How many parameters of the encoders can learn together in the federated arm; None without privacy."""
    if not isinstance(study.privacy, DpSgd):
        return None
    sizes = [[training_patients(study, site, fold) for site in fold.train] for fold in folds(study)]
    patients, hospitals = min((sum(fold) / len(fold), len(fold)) for fold in sizes)
    mu = gaussian_mu(study.privacy.epsilon, study.privacy.delta) * math.sqrt(study.privacy.stages.encoders)
    return int((patients * mu / ENOUGH) ** 2 * hospitals)


def learnability_warnings(study: Study) -> list[str]:
    """A sentence for each encoder that has too many parameters to learn, with what to take instead."""
    limit = learnable_parameters(study)
    if limit is None:
        return []
    outputs = Outputs.of(study.outcome)
    return [
        f'modalities.{name}: encoder "{spec.encoder}" trains {count:,} parameters; under this privacy '
        f"about {limit:,} can learn from the declared patients; {_remedy(spec, outputs, limit)}"
        for name, spec in study.modalities.items()
        if (count := trained_parameters(spec, outputs)) > limit
    ]


def trained_parameters(spec: Modality, outputs: Outputs) -> int:
    """Trained parameters of a modality: its encoder's and its head's."""
    head = own_head(spec.width, outputs)
    return ENCODERS[spec.kind][spec.encoder].trained(spec) + sum(value.numel() for value in head.parameters())


def _remedy(spec: Modality, outputs: Outputs, limit: int) -> str:
    """The kind's default encoder if it can learn, or else the largest that can, or a smaller embedding."""
    default = type(spec).model_fields["encoder"].default
    others = {name: _with(spec, name) for name in ENCODERS[spec.kind] if name != spec.encoder}
    sizes = {name: trained_parameters(other, outputs) for name, other in others.items() if _usable(other)}
    fitting = {name: count for name, count in sizes.items() if count <= limit}
    if fitting:
        return f'take encoder = "{default if default in fitting else max(fitting, key=fitting.__getitem__)}"'
    smaller = spec.model_copy(update={"width": 1})
    if spec.width > 1 and trained_parameters(smaller, outputs) <= limit:
        return "take width = 1"
    least = min(sizes, key=sizes.__getitem__, default=spec.encoder)
    if sizes.get(least, math.inf) < trained_parameters(spec, outputs):
        return f'even encoder = "{least}" trains {sizes[least]:,}: use more patients or epsilon with it'
    return "use more patients or epsilon"


def _with(spec: Modality, encoder: str) -> Modality:
    """The section with another encoder, and without what only the present one reads."""
    dropped = {"weights": None} if encoder not in READS_WEIGHTS and hasattr(spec, "weights") else {}
    return spec.model_copy(update={"encoder": encoder, **dropped})


def _usable(spec: Modality) -> bool:
    """Whether an encoder could be taken as the section stands: one that needs a pre-trained file only with a digest."""
    return spec.encoder not in ("words", "bert") or bool(getattr(spec, "weights", None))
