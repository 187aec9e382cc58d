"""How a study names pre-trained weights: by their digest, so that each hospital uses the same file from its disk."""

from typing import Annotated

from pydantic import Field

# SHA-256 of a weights file, or of a folder (of its sorted "relative path, SHA-256" lines).
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
