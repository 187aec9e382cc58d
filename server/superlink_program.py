"""Flower's SuperLink as a program, ``python -m server.superlink_program``, with more patience for its own database.

SQLite has one writer at a time. Flower's requests wait five seconds for their turn, then fail, and with them the run;
on a machine with more work than processors that is soon over. Here they wait nearly as long as clients do.
"""

PATIENCE = 25_000  # milliseconds; Flower's clients give up after 30 s


def patient(pragmas: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """SQLite's settings with the longer wait; ValueError where Flower no longer has the setting."""
    known = dict(pragmas)
    if "busy_timeout" not in known:
        raise ValueError("this version of Flower sets no busy_timeout: look at how its database waits")
    return tuple({**known, "busy_timeout": str(PATIENCE)}.items())


def main() -> None:
    """Until SIGTERM, with Flower's own command line."""
    from flwr.supercore import constant

    constant.SQLITE_PRAGMAS = patient(constant.SQLITE_PRAGMAS)  # type: ignore[assignment] # before it is imported by name
    from flwr.superlink.cli import flower_superlink

    flower_superlink()


if __name__ == "__main__":
    main()
