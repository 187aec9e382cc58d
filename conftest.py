"""Gives every test the ``federation`` fixture, as other people's tests get it."""

pytest_plugins = ["simulations.fixture"]
