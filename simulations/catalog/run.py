"""Runs every study of the catalog that can be invented, one after the other, and shows them side by side."""

import shutil
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from server.report.results import Results
from shared.errors import MedleyError
from shared.study import Study
from shared.study_file import catalog, load_study
from simulations.catalog.checks import faults_of
from simulations.catalog.figures import line_of
from simulations.catalog.lines import Line, read_lines, write_lines
from simulations.catalog.page import table_of, write_page
from simulations.catalog.sizes import Size
from simulations.study_run import bars, invented_folder, run_study

ENDED = "a process of the run was ended from outside, as by a lack of memory: try again with fewer --jobs"


def studies(names: Sequence[str], size: Size) -> list[Study]:
    """The catalog's studies of these names (none: all) that have invented hospitals, at a size."""
    whole = [load_study(name) for name in names or catalog()]
    return [
        load_study(study.name, [cut.override for cut in size.cuts(study)])
        for study in whole
        if study.simulation is not None
    ]


def run_catalog(wanted: Sequence[Study], results: Path, size: Size, console: Console, jobs: int = 1) -> list[Line]:
    """Every study's line, in order; where the size resumes, those that an earlier call finished are not run again.

    ``jobs`` is how many studies run side by side, each in a process of its own; a study's figures do not depend on it.
    """
    results.mkdir(parents=True, exist_ok=True)
    lines = read_lines(results) if size.resumes else {}
    before = [study.name for study in wanted if _finished(study, lines.get(study.name))]
    for name in before:
        console.print(f"{name}: finished before", highlight=False)
    for line in _finishing([study for study in wanted if study.name not in before], results, size, jobs):
        lines[line.name] = line
        told = "; ".join(line.faults) or (f"no figure: {line.withheld}" if line.withheld else "ok")
        console.print(f"{line.name}: {told}, {line.seconds:.0f} s", highlight=False, soft_wrap=True)
        write_lines(results, lines.values())
    known = catalog()
    found = sorted(lines.values(), key=lambda line: known.index(line.name) if line.name in known else len(known))
    page = write_page(results, size, found)
    console.print(table_of(size, found))
    console.print(f"Written: {page}", highlight=False, soft_wrap=True)
    return [lines[study.name] for study in wanted]


def _finished(study: Study, line: Line | None) -> bool:
    return line is not None and line.digest == study.digest and not line.faults


def _finishing(wanted: Sequence[Study], results: Path, size: Size, jobs: int) -> Iterator[Line]:
    """Lines as their studies end."""
    if jobs == 1 or len(wanted) < 2:
        yield from (one(study, results, size) for study in wanted)
        return
    pool = ProcessPoolExecutor(min(jobs, len(wanted)), get_context("spawn"))
    try:
        running = {pool.submit(one, study, results, size): study for study in wanted}
        for done in as_completed(running):
            study = running[done]
            try:
                yield done.result()
            except BrokenProcessPool:
                yield Line(name=study.name, digest=study.digest, faults=(ENDED,))
    finally:
        pool.shutdown(cancel_futures=True)  # where it is interrupted, what has not begun does not begin


def one(study: Study, results: Path, size: Size) -> Line:
    """Run a study; whatever goes wrong is its fault, and the others go on."""
    begun, silent = time.monotonic(), Console(quiet=True)
    try:
        with bars(silent) as progress:
            hospitals = invented_folder(study, progress, size.invented, size.minimums)
        folder = run_study(study, hospitals, results, silent)
        line = line_of(study, Results.read(folder), folder.name)
        if size.tidies:
            shutil.rmtree(hospitals)
    except MedleyError as error:
        fault = " / ".join(str(error).splitlines())
    except Exception as error:
        trace = results / f"{study.name}-traceback.txt"
        trace.write_text(traceback.format_exc(), encoding="utf-8")
        fault = f"{type(error).__name__}, see {trace.name}"
    else:
        seconds = round(time.monotonic() - begun, 1)
        return line.model_copy(update={"faults": tuple(faults_of(line, folder, size.tells)), "seconds": seconds})
    seconds = round(time.monotonic() - begun, 1)
    return Line(name=study.name, digest=study.digest, seconds=seconds, faults=(fault,))
