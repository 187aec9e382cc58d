"""What every fusion is: embeddings and presence masks in, scores of the outcome out."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from shared.heads import Head


class Fusion(nn.Module):
    """Joins the embeddings of ``modalities``; what is absent must not matter, whatever its embedding holds.

    Subclasses define ``forward(embeddings, present) -> (units, outputs)`` with embeddings {modality: (units, width)}
    and present {modality: (units,) bool}.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.modalities: Sequence[str] = tuple(widths)

    def start_from(self, heads: Mapping[str, Head]) -> None:
        """Start at what the trained heads of the single modalities already know; free, as they were released."""
        raise NotImplementedError

    def forward(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Scores (units, outputs)."""
        raise NotImplementedError
