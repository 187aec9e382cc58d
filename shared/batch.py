"""Units of a cohort as tensors, and whose they are: a patient may have several."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Inputs {modality: (units, *prepared shape)}, present {modality: (units,) bool}, truth of the outcome.

    ``owner`` numbers the patients from 0 without a gap: whose each unit is; by default each unit is a patient.
    """

    inputs: dict[str, Tensor]
    present: dict[str, Tensor]
    outcome: Tensor  # (units, truths)
    owner: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))

    def __post_init__(self) -> None:
        if len(self.owner) != len(self.outcome):
            object.__setattr__(self, "owner", torch.arange(len(self.outcome)))

    def __len__(self) -> int:
        return len(self.outcome)

    @cached_property
    def patients(self) -> int:
        """How many patients the units belong to."""
        return int(self.owner.max()) + 1 if len(self.owner) else 0

    @property
    def repeated(self) -> bool:
        """Whether a patient has several units."""
        return self.patients < len(self)

    def per_patient(self, values: Tensor) -> Tensor:
        """Mean over the units of each patient: (units, ...) to (patients, ...)."""
        if not self.repeated:
            return values
        share = 1 / torch.bincount(self.owner).to(values.dtype)
        weighted = values * share[self.owner].view(-1, *[1] * (values.dim() - 1))
        return torch.zeros(self.patients, *values.shape[1:], dtype=values.dtype).index_add_(0, self.owner, weighted)

    @classmethod
    def joined(cls, batches: "Sequence[Batch]") -> "Batch":
        """One after the other; no patient of one is a patient of another."""
        first, owners, known = batches[0], [], 0
        for batch in batches:
            owners.append(batch.owner + known)
            known += batch.patients
        return cls(
            {name: torch.cat([batch.inputs[name] for batch in batches]) for name in first.inputs},
            {name: torch.cat([batch.present[name] for batch in batches]) for name in first.present},
            torch.cat([batch.outcome for batch in batches]),
            torch.cat(owners),
        )

    def pick(self, rows: Tensor) -> "Batch":
        """The units of a boolean mask or of indices."""
        return Batch(
            {name: values[rows] for name, values in self.inputs.items()},
            {name: mask[rows] for name, mask in self.present.items()},
            self.outcome[rows],
            torch.unique(self.owner[rows], return_inverse=True)[1],
        )
