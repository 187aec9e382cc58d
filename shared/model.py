"""The model of a study: an encoder and a head for each modality, a fusion for each combination, presence masks."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from shared.batch import Batch
from shared.encoders import ENCODERS
from shared.fusions import FUSIONS
from shared.fusions.base import Fusion
from shared.heads import Head, Outputs, own_head
from shared.study import Study


class MultimodalModel(nn.Module):
    """Every model of a study at once; a model's name is its modalities joined by "+".

    A parameter group has the same name: the encoder and the head of a modality, or the fusion of a combination.
    """

    def __init__(self, study: Study) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(study.seed)
        built = {
            name: ENCODERS[spec.kind][spec.encoder].build(spec, generator) for name, spec in study.modalities.items()
        }
        widths = {name: encoder.width for name, encoder in built.items()}
        outputs = Outputs.of(study.outcome)
        self.encoders = nn.ModuleDict(built)
        self.heads = nn.ModuleDict({name: own_head(width, outputs) for name, width in widths.items()})
        self.fusions = nn.ModuleDict(
            {
                model: FUSIONS[study.fusion.kind]({name: widths[name] for name in model.split("+")}, outputs)
                for model in study.fusions
            }
        )
        self.models = study.models
        self._read: dict[str, Tensor] = {}

    def attach(self, weights: Mapping[str, Path]) -> None:
        """Load each encoder's pre-trained file or folder, by modality; before the model is used at a hospital."""
        for name, path in weights.items():
            self.encoders[name].attach(path)  # type: ignore[operator]

    def read_only(self, inputs: Mapping[str, Tensor]) -> None:
        """Of these modalities only the inputs that a mask (features,) of ones and zeros keeps; of others all."""
        self._read = dict(inputs)

    def stand_in(self) -> None:
        """Invent what ``attach`` would load: for the self-test and for timing only."""
        for encoder in self.encoders.values():
            encoder.stand_in()  # type: ignore[operator]

    def embed(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Embeddings {modality: (units, width)} of prepared inputs."""
        read = {name: values * self._read[name] if name in self._read else values for name, values in inputs.items()}
        return {name: self.encoders[name](values) for name, values in read.items()}

    def single_scores(self, embeddings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores (units, outputs) of the models of one modality."""
        return {name: self.heads[name](values) for name, values in embeddings.items()}

    def fused_scores(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores (units, outputs) of the models of several modalities."""
        return {model: self.fused_score(model, embeddings, present) for model in self.models if "+" in model}

    def fused_score(self, model: str, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs) of one of them."""
        one, used = self.fusion_of(model), model.split("+")
        found: Tensor = one(embeddings, {name: present[name] & (name in used) for name in one.modalities})
        return found

    def penalty(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """What the fusions add to the loss of all units together, as the disagreement of modalities."""
        parts = [fusion.penalty(embeddings, present).sum() for fusion in self.fusions.values()]  # type: ignore[operator]
        return torch.stack(parts).sum()

    def fusion_of(self, model: str) -> Fusion:
        """The fusion that serves a model: its own, or the one that serves all."""
        found = self.fusions[model] if model in self.fusions else next(iter(self.fusions.values()))
        assert isinstance(found, Fusion)
        return found

    def scores(self, batch: Batch) -> dict[str, Tensor]:
        """Scores (units, outputs) of every model; a unit with none of a model's modalities gets its bias."""
        embeddings = self.masked_embeddings(batch)
        return {**self.single_scores(embeddings), **self.fused_scores(embeddings, batch.present)}

    def without_each(self, model: str, batch: Batch) -> dict[str, Tensor]:
        """Scores (units, outputs) of a model of several modalities with one of them taken away from all, by its name.

        Only the fusion's mask tells that it is gone, as where a patient was not examined.
        """
        embeddings, found = self.masked_embeddings(batch), {}
        for name in model.split("+"):
            nothing = torch.zeros_like(batch.present[name])
            gone = {**embeddings, name: torch.zeros_like(embeddings[name])}
            found[name] = self.fused_score(model, gone, {**batch.present, name: nothing})
        return found

    def masked_embeddings(self, batch: Batch) -> dict[str, Tensor]:
        """Embeddings {modality: (units, width)}, zero where a unit lacks the modality."""
        masks = {name: present.unsqueeze(-1) for name, present in batch.present.items()}
        return {name: torch.where(masks[name], z, 0.0) for name, z in self.embed(batch.inputs).items()}

    def start_fusions(self) -> None:
        """Start each fusion from the trained heads of its modalities."""
        heads = {name: head for name, head in self.heads.items() if isinstance(head, Head)}
        for fusion in self.fusions.values():
            fusion.start_from(heads)  # type: ignore[operator]


def weights_of(study: Study) -> dict[str, str]:
    """Digest of the pre-trained file or folder that each modality needs from a hospital's disk."""
    digests = {name: getattr(spec, "weights", None) for name, spec in study.modalities.items()}
    return {name: digest for name, digest in digests.items() if digest}


def scored(model: str, present: Mapping[str, Tensor]) -> Tensor:
    """What a model can score, (units,) bool: those with at least one of its modalities."""
    return torch.stack([present[name] for name in model.split("+")]).any(dim=0)
