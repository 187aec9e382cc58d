"""``simulations price``: measure, print the table, and write it with its figure into a new results folder."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from server.run_folder import fresh_folder
from shared.study import Study
from simulations.price.figure import price_figure
from simulations.price.measure import Price, at_epsilon, prices
from simulations.study_run import bars, invented_folder, opened

COLUMNS = ("fold", "cohort", "epsilon", "draws", "mean", "sd", "lowest", "highest")
Request = tuple[Sequence[float], int]  # epsilons, and draws of the noise at each


def run_price(study: Study, data: Path | None, results: Path, request: Request, console: Console) -> Path:
    """Measure a study over the hospitals in ``data`` (None: invent them); returns the new results folder."""
    epsilons, draws = request
    at_epsilon(study, epsilons[0])  # a study without privacy is refused before anything is read
    with bars(console) as progress:
        hospitals = invented_folder(study, progress) if data is None else data
        folder = fresh_folder(results, f"price-{study.name}")
        consortium = opened(study, hospitals, folder, progress)
        task = progress.add_task("training", total=1 + len(epsilons) * draws)
        found = prices(study, consortium, epsilons, draws, lambda: progress.advance(task))
    console.print(price_table(study, found))
    write_prices(found, folder)
    return folder


def price_table(study: Study, found: Sequence[Price]) -> Table:
    """As printed."""
    table = Table(*COLUMNS, title=f"{study.primary}, federated: AUC by epsilon", title_justify="left")
    for price in found:
        table.add_row(*_row(price))
    return table


def write_prices(found: Sequence[Price], folder: Path) -> None:
    """``price.csv`` and ``price.svg``."""
    with (folder / "price.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(price) for price in found)
    (folder / "price.svg").write_text(price_figure(found), encoding="utf-8")


def _row(price: Price) -> tuple[str, ...]:
    """The spread of a single draw is undefined, and empty."""
    aucs, epsilon = price.aucs, "no privacy" if price.epsilon is None else f"{price.epsilon:g}"
    spread = f"{np.std(aucs, ddof=1):.4f}" if len(aucs) > 1 else ""
    told = (f"{np.mean(aucs):.4f}", spread, f"{min(aucs):.4f}", f"{max(aucs):.4f}")
    return (price.fold, price.cohort, epsilon, str(len(aucs)), *told)
