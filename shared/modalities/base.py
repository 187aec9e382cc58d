"""What every modality of a study has in common."""

from typing import ClassVar

from shared.sections import Section


class Input(Section):
    """A modality; its ``shape`` is that of one patient's tensor, and ``dtype`` the tensor's type."""

    dtype: ClassVar[str] = "float32"

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return []
