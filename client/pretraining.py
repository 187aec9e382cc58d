"""Before the first round: encoders that learn from a hospital's inputs alone, without outcomes; never under dp-sgd."""

from collections.abc import Collection

import torch

from shared.batch import Batch
from shared.encoders.byte_cnn import ByteCnn
from shared.model import MultimodalModel
from shared.study import Study


def pretrain(model: MultimodalModel, batch: Batch, study: Study, groups: Collection[str]) -> None:
    """Pre-train in place the encoders of ``groups`` that the study asks it of, on the patients who have the modality.

    A study under dp-sgd that asks for it is refused when it is read: nothing here has a clip or noise.
    """
    for name, encoder in model.encoders.items():
        if name in groups and isinstance(encoder, ByteCnn) and encoder.pretraining:
            encoder.pretrain(batch.inputs[name][batch.present[name]], torch.Generator().manual_seed(study.seed))
