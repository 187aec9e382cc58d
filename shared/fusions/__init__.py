"""How embeddings of several modalities become scores, one file per fusion; all take presence masks."""

from collections.abc import Callable, Mapping

from shared.fusions.base import Fusion
from shared.fusions.concat import Concat
from shared.fusions.mean import Mean
from shared.heads import Outputs

FUSIONS: dict[str, Callable[[Mapping[str, int], Outputs], Fusion]] = {"concat": Concat, "mean": Mean}
