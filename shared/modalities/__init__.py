"""What a patient's tensor looks like, one file per kind; the encoders that learn from it are in ``encoders/``."""

from typing import Annotated

from pydantic import Field

from shared.modalities.bag import Bag
from shared.modalities.base import Input
from shared.modalities.concepts import Concepts
from shared.modalities.grid import Grid
from shared.modalities.image import Image
from shared.modalities.payload import Payload
from shared.modalities.series import Series
from shared.modalities.signal import Signal
from shared.modalities.tabular import Tabular
from shared.modalities.text import Text
from shared.modalities.volume import Volume

MODALITIES: dict[str, type[Input]] = {
    "tabular": Tabular,
    "series": Series,
    "signal": Signal,
    "image": Image,
    "volume": Volume,
    "bag": Bag,
    "text": Text,
    "concepts": Concepts,
    "bytes": Payload,
    "grid": Grid,
}

Modality = Annotated[
    Tabular | Series | Signal | Image | Volume | Bag | Text | Concepts | Payload | Grid, Field(discriminator="kind")
]
