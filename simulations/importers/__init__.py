"""Public data as hospitals' folders, one file per data set; each says what it dropped and why."""

from collections.abc import Callable
from pathlib import Path

from simulations.importers.eicu import import_eicu
from simulations.importers.flamby_heart import import_flamby_heart
from simulations.importers.mimic_iv import import_mimic_iv
from simulations.importers.one_table import import_table
from simulations.importers.ptb_xl import import_ptb_xl
from simulations.importers.retina_mnist import import_retina_mnist
from simulations.importers.tables import chosen
from simulations.importers.tcga_brca import import_tcga_brca
from simulations.importers.uci_heart import import_uci_heart
from simulations.importers.ustc_tfc2016 import import_ustc_tfc2016

Importer = Callable[[Path, Path, str], list[str]]  # from, to, what makes a hospital ("": the default)


def _as_released(bring: Callable[[Path, Path], list[str]]) -> Importer:
    """An importer whose hospitals are not a choice."""

    def import_checked(source: Path, target: Path, sites: str) -> list[str]:
        chosen(sites, ("",))
        return bring(source, target)

    return import_checked


IMPORTERS: dict[str, Importer] = {
    "eicu": import_eicu,
    "flamby-heart": _as_released(import_flamby_heart),
    "mimic-iv": import_mimic_iv,
    "ptb-xl": _as_released(import_ptb_xl),
    "retina-mnist": _as_released(import_retina_mnist),
    "table": import_table,
    "tcga-brca": _as_released(import_tcga_brca),
    "uci-heart": _as_released(import_uci_heart),
    "ustc-tfc2016": _as_released(import_ustc_tfc2016),
}
