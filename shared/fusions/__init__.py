"""How embeddings of several modalities become scores, one file per fusion; all take presence masks."""

from collections.abc import Callable, Mapping

from shared.fusions.attention import CrossAttention, SelfAttention
from shared.fusions.base import Fusion
from shared.fusions.concat import Concat, Mlp
from shared.fusions.gated import Gated
from shared.fusions.kernel import Kernel
from shared.fusions.late import Cooperative, Late, LateMean
from shared.fusions.mean import Mean
from shared.fusions.multiscale import Multiscale
from shared.heads import Outputs

FUSIONS: dict[str, Callable[[Mapping[str, int], Outputs], Fusion]] = {
    "concat": Concat,
    "mlp": Mlp,
    "mean": Mean,
    "gated": Gated,
    "self-attention": SelfAttention,
    "cross-attention": CrossAttention,
    "multiscale": Multiscale,
    "kernel": Kernel,
    "late": Late,
    "late-mean": LateMean,
    "cooperative": Cooperative,
}
