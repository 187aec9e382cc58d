"""The study file's section on invented hospitals: what is true of their patients, and how the hospitals differ."""

from typing import Annotated, Literal

from pydantic import Field

from shared.sections import Positive, Section, Share

Part = Annotated[float, Field(ge=0, le=1)]
PICTURES = ("photo", "ultrasound", "muscle", "kidney", "fundus", "radiograph", "dental", "laryngoscopy", "scene")
LOOKS = {  # by kind of modality, the first one where the study names none
    "image": PICTURES,
    "bag": PICTURES,
    "volume": ("nodule", "neck", "airway", "abdomen", "pet", "mri", "mri-t2", "mri-t1"),
    "text": ("icu-notes", "ct-report", "cytology", "opinion", "post"),
}


class Marginal(Section):
    """How a table's column is spread: a number around ``centre`` (of its square root if ``skewed``), or words in these
    ``shares``. A negative ``spread`` falls with severity; ``weight`` is the column's part of what the table tells."""

    weight: Positive = 0.15
    centre: float | None = None
    spread: float | None = None
    skewed: bool = False
    shares: tuple[Share, ...] = ()
    decimals: int | None = Field(default=None, ge=0, le=6)


class Shift(Section):
    """How far hospitals are apart, from 0 (not at all): machines (1 as between real ones), the largest difference of a
    hospital's prevalence, the share of columns that a hospital writes in other words, signs or units, and the largest
    share of outcomes that a hospital has wrong."""

    scanner: float = Field(default=0.0, ge=0, le=3)
    prevalence: float = Field(default=0.0, ge=0, lt=0.5)
    coding: Part = 0.0
    labels: float = Field(default=0.0, ge=0, lt=0.5)


class Rows(Section):
    """Rows within patients: their mean number (at least one), and the share of them like his first."""

    mean: float = Field(default=1.0, ge=1, le=1000)
    alike: Part = 0.5


class Simulation(Section):
    """Read by simulations only: how the hospitals are invented.

    ``separation``: how much a modality tells, in standard deviations of its latent between the classes (or for one
    standard deviation of severity, where the outcome is not binary). ``missing``: share of patients without a modality,
    lowest and highest of the hospitals. ``leak``: a modality, or a column of a table, that states the outcome itself in
    this share of patients; a table of notes does so in a note written after the prediction.
    """

    generator: Literal["latent"]
    separation: dict[str, Positive]
    look: dict[str, str] = {}
    columns: dict[str, Marginal] = {}
    prevalence: float = Field(default=0.5, gt=0, lt=1)
    prevalence_at: dict[str, Share] = {}
    shares: tuple[Share, ...] = ()  # of an outcome's classes; equal ones where none stand
    rows: Rows = Rows()
    missing: dict[str, tuple[Part, Part]] = {}
    empty: Part = 0.0  # share of a table's cells that were not recorded, age and sex apart
    sentinels: Part = 0.0  # share of numbers written as one of their codes for missing, where they have one
    shift: Shift = Shift()
    leak: dict[str, Share] = {}
