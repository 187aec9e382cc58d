"""Public data as hospitals' folders, one file per data set; each says what it dropped and why."""

from collections.abc import Callable
from pathlib import Path

from simulations.importers.flamby_heart import import_flamby_heart
from simulations.importers.ptb_xl import import_ptb_xl
from simulations.importers.uci_heart import import_uci_heart

IMPORTERS: dict[str, Callable[[Path, Path], list[str]]] = {
    "flamby-heart": import_flamby_heart,
    "ptb-xl": import_ptb_xl,
    "uci-heart": import_uci_heart,
}
