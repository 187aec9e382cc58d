"""Attacks on the real training code: how much epsilon they show, and what a model and an update give away."""
