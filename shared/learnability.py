"""Can a model learn under the study's privacy at all? Told before training, from public numbers only.

T full-batch steps move the weights by at most T n C in a common direction, and the noise moves them by
sigma C sqrt(d T), with sigma = sqrt(T / share) / mu: the ratio n mu sqrt(share) / sqrt(d) knows neither T nor C.
Averaging over S hospitals of equal size adds a factor sqrt(S).
"""

import math
from collections import Counter

from shared.cohorts import folds, training_patients
from shared.model import MultimodalModel, group_of, stage_of
from shared.privacy.accounting import gaussian_mu
from shared.study import DpSgd, Study

# Measured on 235 patients at two hospitals: below it, convolutional networks trained from scratch are erratic.
ENOUGH = 3.0


def learnable_parameters(study: Study) -> int | None:
    """How many parameters of the encoders can learn together in the federated arm; None without privacy."""
    if not isinstance(study.privacy, DpSgd):
        return None
    sizes = [[training_patients(study, site) for site in fold.train] for fold in folds(study)]
    patients, hospitals = min((sum(fold) / len(fold), len(fold)) for fold in sizes)
    mu = gaussian_mu(study.privacy.epsilon, study.privacy.delta) * math.sqrt(study.privacy.stages.encoders)
    return int((patients * mu / ENOUGH) ** 2 * hospitals)


def learnability_warnings(study: Study) -> list[str]:
    """A sentence for each encoder that has too many parameters to learn, with the one to take instead."""
    limit = learnable_parameters(study)
    if limit is None:
        return []
    trained = Counter[str]()
    for name, values in MultimodalModel(study).named_parameters():
        if stage_of(name) == "encoders":
            trained[group_of(name)] += values.numel()
    warnings = []
    for name, spec in study.modalities.items():
        if trained[name] > limit:
            instead = type(spec).model_fields["encoder"].default
            remedy = f'; take encoder = "{instead}"' if instead != spec.encoder else "; use more patients or epsilon"
            warnings.append(
                f'modalities.{name}: encoder "{spec.encoder}" trains {trained[name]:,} parameters; under this privacy '
                f"about {limit:,} can learn from the declared patients{remedy}"
            )
    return warnings
