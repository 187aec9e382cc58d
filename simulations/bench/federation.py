"""``simulations bench federation``: a round of Medley against one of stock Flower, over the same real processes.

Three hospitals with a small model. Stock Flower's client is a full one: each round is two messages, and for each a
process starts that imports what training needs. Medley's round is one message to an agent that is there already.
"""

import hashlib
import json
import platform
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

from flwr.cli.build import build_fab_from_disk
from rich.console import Console
from rich.table import Table

from server.control import Control
from server.follow import Job, run_arm
from server.record import load_records
from server.run_folder import fresh_folder
from shared.errors import RunError
from shared.study_file import load_study
from simulations.federation import invented_hospitals, shrunk
from simulations.real_federation import RealFederation

STOCK = Path(__file__).parent / "stock"
LONGEST = 900.0  # seconds for the stock run


def run_federation_bench(results: Path, rounds: int, console: Console) -> Path:
    """Run both, print the table, and write it into a new results folder."""
    folder = fresh_folder(results, "bench-federation")
    study = shrunk(load_study("lscc-staging"), sites=3, rounds=rounds, patients=12)
    data = invented_hospitals(study, folder)
    path = folder / "study.json"
    path.write_text(study.text, encoding="utf-8")
    with RealFederation({name: data / name / "site.toml" for name in study.sites}, folder / "federation") as all_:
        console.print("starting a SuperLink and three hospitals")
        all_.join(list(study.sites), [path])
        console.print("running Medley")
        run_arm(all_.federation, Job(path, folder, "federated", 600.0), lambda: None)
        (record,) = load_records(folder)
        medley = [one.seconds for one in record.rounds]
        console.print("running stock Flower")
        stock = _stock_rounds(all_, folder, rounds, len(study.sites))
    found = {"medley_seconds": medley, "stock_seconds": stock, "ratio": median(medley) / median(stock)}
    text = json.dumps({**found, "machine": platform.machine(), "hospitals": len(study.sites)}, indent=2)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    console.print(_table(medley, stock))
    return folder


def _stock_rounds(all_: RealFederation, folder: Path, rounds: int, clients: int) -> list[float]:
    """Seconds of each round of stock Flower over the same SuperLink and SuperNodes."""
    bundle = build_fab_from_disk(STOCK)
    config: dict[str, str | float] = {"rounds": rounds, "clients": clients, "folder": str(folder)}
    with Control(all_.federation.control, all_.federation.state / "ca.crt") as control:
        number = control.start((hashlib.sha256(bundle).hexdigest(), bundle), config)
        until = time.monotonic() + LONGEST
        while (state := control.state(number)).status != "finished":
            if time.monotonic() > until:
                raise RunError("stock Flower did not end in time")
            time.sleep(0.5)
    if state.outcome != "completed":
        raise RunError(f"stock Flower failed: {state.details}")
    times = json.loads((folder / "stock.json").read_text(encoding="utf-8"))[1:]  # the first is before any round
    return [after - before for before, after in pairwise(times)]


def _table(medley: list[float], stock: list[float]) -> Table:
    table = Table(title="Seconds of a round, three hospitals on this machine", title_justify="left", box=None)
    for name in ("", "rounds", "shortest", "median", "longest"):
        table.add_column(name, justify="left" if not name else "right")
    for name, times in (("Medley: one message to a resident agent", medley), ("stock Flower: train, evaluate", stock)):
        figures = (min(times), median(times), max(times))
        table.add_row(name, str(len(times)), *(f"{value:.1f}" for value in figures))
    table.add_row("ratio of the medians", "", "", f"{median(medley) / median(stock):.2f}", "")
    return table
