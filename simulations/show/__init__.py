"""Draws invented patients: one in all modalities to one picture, and a contact sheet of each modality."""
