"""What every fusion is: embeddings and presence masks in, one score out."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class Fusion(nn.Module):
    """Joins the embeddings of ``modalities``; what is absent must not matter, whatever its embedding holds.

    Subclasses define ``forward(embeddings, present) -> (patients,)`` with embeddings {modality: (patients, width)} and
    present {modality: (patients,) bool}.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.modalities: Sequence[str] = tuple(widths)

    def start_from(self, heads: Mapping[str, nn.Linear]) -> None:
        """Start at what the trained heads of the single modalities already know; free, as they were released."""
        raise NotImplementedError

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Score of each patient, (patients,)."""
        raise NotImplementedError
