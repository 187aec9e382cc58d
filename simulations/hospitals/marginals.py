"""How clinical numbers are usually spread among patients, by the name of the column; a sketch, not a reference."""

# centre, spread (negative: falls with severity); of the square root where the third is true
USUAL: dict[str, tuple[float, float, bool]] = {
    "age": (61, 12, False),
    "bmi": (25.5, -3.6, False),
    "height": (168, -9, False),
    "weight": (72, -13, False),
    "heart_rate": (86, 14, False),
    "sbp": (122, -17, False),
    "dbp": (68, -11, False),
    "map": (83, -12, False),
    "respiratory_rate": (19, 4.2, False),
    "temperature": (37.2, 0.7, False),
    "spo2": (96, -2.1, False),
    "gcs": (13.2, -2.0, False),
    "urine_output": (80, -32, False),
    "lactate": (1.5, 0.42, True),
    "creatinine": (1.15, 0.32, True),
    "urea": (4.8, 1.2, True),
    "bun": (4.8, 1.2, True),
    "wbc": (3.4, 0.65, True),
    "haemoglobin": (11.4, -1.7, False),
    "platelets": (14.2, -3.0, True),
    "bilirubin": (1.0, 0.33, True),
    "sodium": (139, -4, False),
    "potassium": (4.2, 0.5, False),
    "bicarbonate": (23.5, -3.6, False),
    "glucose": (11.6, 1.6, True),
    "albumin": (34, -5, False),
    "crp": (7.0, 3.0, True),
    "ph": (7.38, -0.07, False),
    "inr": (1.14, 0.14, True),
    "psa": (3.6, 1.1, True),
    "suvmax": (2.9, 0.75, True),
    "egfr": (78, -20, False),
    "proteinuria": (1.1, 0.55, True),
    "uric_acid": (345, 85, False),
    "cea": (1.7, 0.5, True),
    "cyfra21": (1.6, 0.38, True),
    "sppb": (9.2, -1.9, False),
    "nodule_size": (3.7, 0.55, True),
    "diameter": (4.4, 0.6, True),
    "smoking": (4.2, 1.8, True),
}


def usual(name: str, low: float, high: float) -> tuple[float, float, bool]:
    """Centre, spread and whether of the square root; by the range alone where the name is unknown or misfits."""
    found = USUAL.get(name)
    if found is not None:
        centre = found[0] ** 2 if found[2] else found[0]
        if low < centre < high:
            return found
    return low + 0.45 * (high - low), (high - low) / 9, False
