"""How the pages look that a hospital's own people read in a terminal."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 110  # of a page that goes to a file or a pipe
NUMBERS = {
    *("rows", "times", "present", "absent", "patients", "events", "others"),
    *("releases", "epsilon", "left", "delta", "bytes", "norm"),
}
WHOLE = {"time", "message"}  # texts that are not broken over lines


def page() -> Console:
    """A console without markup, as a column's name may hold brackets."""
    width = None if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def columns(*names: str) -> Table:
    """A table whose numeric columns stand right."""
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1), header_style="dim")
    for name in names:
        numeric = name in NUMBERS
        whole = numeric or name in WHOLE
        made.add_column(name, justify="right" if numeric else "left", no_wrap=whole)
    return made
