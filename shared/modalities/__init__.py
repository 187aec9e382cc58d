"""What a patient's tensor looks like, one file per kind; the encoders that learn from it are in ``encoders/``."""

from typing import Annotated

from pydantic import Field

from shared.modalities.bag import Bag
from shared.modalities.tabular import Tabular
from shared.modalities.volume import Volume

MODALITIES = {"tabular": Tabular, "volume": Volume, "bag": Bag}

Modality = Annotated[Tabular | Volume | Bag, Field(discriminator="kind")]
