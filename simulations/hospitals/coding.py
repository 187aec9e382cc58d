"""A hospital's own way of writing: other signs, words or units in some of its columns."""

from simulations.hospitals.chance import stream

UNITS = {  # the unit that a study declares: by what a hospital with another one multiplies
    "kg": 2.2046,  # pounds
    "cm": 0.3937,  # inches
    "kg/m2": 1.0,
    "mg/dl": 0.0555,  # mmol/l, as of glucose
    "g/l": 0.1,  # g/dl
}


def differs(site: str, column: str, share: float) -> bool:
    """Whether a hospital writes a column in its own way; a property of the two names."""
    return bool(share and stream("coding", site, column).random() < share)


def number(text: str, unit: str, own: bool) -> str:
    """A number as a hospital with its own way writes it: in another unit if one is usual, else with a decimal comma."""
    if not own or not text:
        return text
    factor = UNITS.get(unit.lower(), 1.0)
    return f"{float(text) * factor:.1f}" if factor != 1 else text.replace(".", ",")


def word(text: str, own: bool) -> str:
    """A category as a hospital with its own way writes it: its first letter, in capitals."""
    return text[:1].upper() if own else text
