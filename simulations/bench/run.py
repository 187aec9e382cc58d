"""``simulations bench privacy``: measure every case, print the table, and write it into a new results folder."""

import csv
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import opacus
import torch
from rich.console import Console

from server.run_folder import fresh_folder
from simulations.bench.cases import Case, all_cases
from simulations.bench.measure import Row, measure, single_thread
from simulations.bench.steps import VARIANTS
from simulations.bench.table import bench_table
from simulations.study_run import bars

COLUMNS = ("case", "patients", "steps", "parameters", "other_mode", *(f"ms_{name}" for name in VARIANTS))
COMPARED = tuple(name for name in VARIANTS if name != "private")


def run_bench(results: Path, repeats: int, console: Console, cases: Sequence[Case] | None = None) -> Path:
    """Measure ``cases`` (None: all) by ``repeats`` turns each; returns the new results folder."""
    chosen, rows = all_cases() if cases is None else cases, []
    with bars(console) as progress, single_thread():
        task = progress.add_task("measuring", total=len(chosen) * (1 + repeats))
        for case in chosen:
            rows.append(measure(case, repeats, lambda: progress.advance(task)))
    console.print(bench_table(rows))
    folder = fresh_folder(results, "bench-privacy")
    write_bench(rows, repeats, folder)
    return folder


def write_bench(rows: Sequence[Row], repeats: int, folder: Path) -> None:
    """``bench.csv`` and ``bench.json``."""
    ratios = [f"{part}_against_{name}" for name in COMPARED for part in ("ratio", "lowest", "highest")]
    with (folder / "bench.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *ratios, "missed", "left_out"])
        writer.writerows(_cells(row) for row in rows)
    about = {
        "torch": torch.__version__,
        "opacus": opacus.__version__,
        "machine": platform.machine(),
        "clock": "processor time of one thread",
        "repeats": repeats,
    }
    text = json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")


def _cells(row: Row) -> list[str]:
    """A line of the table; what was not timed is empty."""
    times = [f"{row.milliseconds[name]:.4f}" if name in row.milliseconds else "" for name in VARIANTS]
    ratios = [
        f"{value:.4f}" if value is not None else ""
        for name in COMPARED
        for value in (asdict(row.ratios[name]).values() if name in row.ratios else (None, None, None))
    ]
    missed = "; ".join(f"{v.against} {v.limit:g}" for v in row.verdicts if not v.met)
    left = "; ".join(f"{name}: {fault}" for name, fault in row.faults.items())
    return [
        row.name,
        str(row.patients),
        str(row.steps),
        str(row.parameters),
        row.other_mode,
        *times,
        *ratios,
        missed,
        left,
    ]
