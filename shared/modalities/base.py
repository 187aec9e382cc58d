"""What every modality of a study has in common."""

import re
from typing import ClassVar

from shared.sections import Section

WHOSE = re.compile(r"\{(patient|row)\}")  # in a path: the identifier of the patient, or of the row


def is_pattern(path: str) -> bool:
    """Whether a path is a pattern, with the patient's or the row's identifier in it once, and not a column."""
    return len(WHOSE.findall(path)) == 1


class Input(Section):
    """A modality; its ``shape`` is that of one patient's tensor, and ``dtype`` the tensor's type."""

    dtype: ClassVar[str] = "float32"

    @property
    def cells(self) -> list[str]:
        """Columns of ``patients.csv`` that are read."""
        return []
