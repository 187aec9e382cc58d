"""What is predicted, one file per kind: the loss of a patient, and what a score means."""

from shared.outcomes.binary import Binary

OUTCOMES = {"binary": Binary}
