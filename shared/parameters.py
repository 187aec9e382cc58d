"""What a parameter's name says: its group, and the stage that trains it. Without torch, as the server needs no more."""


def group_of(parameter: str) -> str:
    """The group of a parameter's name: "encoders.ct.layer.weight" -> "ct", "fusions.a+b.head.bias" -> "a+b"."""
    return parameter.split(".")[1]


def in_stage(parameter: str, stage: str) -> bool:
    """Whether a stage trains a parameter: "encoders" (with the heads of single modalities), "fusion", or both at once
    in "joint"."""
    return stage in ("joint", "fusion" if parameter.startswith("fusions.") else "encoders")
