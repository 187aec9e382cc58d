"""The SuperLink's database waits longer than Flower has it, and a Flower without that setting is told at once."""

import subprocess
import sys

import pytest

from server.superlink_program import PATIENCE, patient

PROGRAM = """
import sqlite3, sys, types
from server import superlink_program

def started():
    from flwr.supercore.sql_mixin import _set_sqlite_pragmas
    connection = sqlite3.connect(":memory:")
    _set_sqlite_pragmas(connection, None)
    print(connection.execute("PRAGMA busy_timeout").fetchone()[0])

sys.modules["flwr.superlink.cli"] = types.SimpleNamespace(flower_superlink=started)
superlink_program.main()
"""


def test_a_connection_of_flowers_waits_for_its_turn() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(PATIENCE)]


def test_another_flower_is_told() -> None:
    assert dict(patient((("busy_timeout", "1"), ("foreign_keys", "ON")))) == {
        "busy_timeout": str(PATIENCE),
        "foreign_keys": "ON",
    }
    with pytest.raises(ValueError, match="busy_timeout"):
        patient((("foreign_keys", "ON"),))
