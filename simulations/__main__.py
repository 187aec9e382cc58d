"""``python -m simulations``: run or audit a study on invented or imported hospitals, or import public data."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared.command_line import DONE, FAILED, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from shared.study import Study

PUBLIC = (  # the names of the importers, known before any is loaded
    *("eicu", "flamby-heart", "mimic-iv", "ptb-xl", "retina-mnist", "table", "tcga-brca", "uci-heart"),
    "ustc-tfc2016",
)
EXAMPLES = """examples:
  python -m simulations run lscc-staging
  python -m simulations run lscc-staging --set privacy.epsilon=3 --set training.rounds=40
  python -m simulations list
  python -m simulations all --quick
  python -m simulations all --ample --only embolism-ecg solid-nodule
  python -m simulations import uci-heart --from DOWNLOADED --to data/uci-heart
  python -m simulations run uci-heart --data data/uci-heart
  python -m simulations audit uci-heart --data data/uci-heart
  python -m simulations bench privacy
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m simulations",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    simulate = add_study(commands, "run", "run a study: every arm, every model, with and without privacy, and a report")
    simulate.add_argument(
        "--engine",
        choices=["in-process", "superlink", "ray"],
        default="in-process",
        help="superlink: real processes with TLS on loopback; ray: Flower's simulation engine (pooled stays here)",
    )
    price = add_study(commands, "price", "what privacy costs: AUC against epsilon, over many draws of the noise")
    price.add_argument("--epsilons", type=float, nargs="+", default=[0.5, 1, 2, 4, 8], metavar="E")
    price.add_argument("--draws", type=int, default=20, metavar="N", help="draws of the noise at each epsilon")
    attack = add_study(commands, "audit", "attack a study's training: canaries, membership, gradient inversion")
    attack.add_argument("--canaries", type=count, default=200, metavar="N", help="of the audit in one run")
    attack.add_argument("--trials", type=count, default=2000, metavar="N", help="of each audit of one step")
    add_catalog(commands)
    add_bench(commands)
    add_show(commands)
    bring = commands.add_parser("import", help="write public data as hospitals' folders")
    bring.add_argument("name", choices=PUBLIC, help="the data set")
    bring.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="the downloaded files")
    bring.add_argument(
        "--to", dest="target", type=Path, required=True, metavar="DIR", help="where the folders are made"
    )
    sites = "what makes a hospital: mimic-iv care-unit or admission, eicu hospital or region, table its column"
    bring.add_argument("--sites", default="", metavar="NAME", help=sites)
    return top


def add_study(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, purpose: str
) -> argparse.ArgumentParser:
    """A command on one study, with the options that all of them have."""
    command = commands.add_parser(name, help=purpose, description=purpose)
    command.add_argument("study", help="a study of the catalog by its name, or the path of a study file")
    command.add_argument("--data", type=Path, metavar="DIR", help="one folder a hospital in it; default: invent them")
    command.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key")
    purpose = "the paper's own encoders, fusion and training, and without privacy as the papers were (before --set)"
    command.add_argument("--as-published", action="store_true", help=purpose)
    command.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="where a folder is made")
    return command


def add_show(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Pictures of invented patients."""
    purpose = "draw an invented patient in all modalities to one picture"
    command = commands.add_parser("show", help=purpose, description=purpose)
    command.add_argument("study", help="a study of the catalog by its name, or the path of a study file")
    command.add_argument("--site", required=True, metavar="NAME", help="one of the study's hospitals")
    command.add_argument("--patient", type=turns, default=1, metavar="N", help="the patient's number (default: 1)")
    command.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a key")
    command.add_argument("--to", dest="target", type=Path, required=True, metavar="FILE", help="png, svg or pdf")
    purpose = "draw a contact sheet of each kind of sketch that invented hospitals have"
    sheets = commands.add_parser("sheets", help=purpose, description=purpose)
    sheets.add_argument("--to", dest="target", type=Path, required=True, metavar="DIR", help="where they are drawn")


def add_catalog(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The catalog as a whole."""
    where = Path("results") / "catalog"
    purpose = "the table of the studies that come with Medley"
    table = commands.add_parser("list", help=purpose, description=purpose)
    table.add_argument("--results", type=Path, default=where, metavar="DIR", help="of an earlier run of all, for times")
    purpose = "run every study that can be invented, and one page with all; finished studies are not run again"
    every = commands.add_parser("all", help=purpose, description=purpose)
    size = every.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="each cut small, in minutes; nothing is skipped")
    purpose = "without privacy, 3,000 patients to learn from and 5,000 fresh ones: how far models are from the truth"
    size.add_argument("--ample", action="store_true", help=purpose)
    every.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these studies of the catalog")
    told = "studies side by side, each with about 3 GB (default: the cores, 4 at most)"
    every.add_argument("--jobs", type=turns, metavar="N", help=told)
    every.add_argument(
        "--results", type=Path, metavar="DIR", help=f"where folders are made ({where}; quick or ample beside it)"
    )


def add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The benchmarks, which need no study."""
    purpose = "time a step with and without privacy, for every encoder and fusion; or rounds over real processes"
    command = commands.add_parser("bench", help=purpose, description=purpose)
    told = "privacy: a step; federation: a round against stock Flower's; scale: many hospitals, or large updates"
    command.add_argument("what", choices=["privacy", "federation", "scale"], help=told)
    command.add_argument("--hospitals", type=turns, default=20, metavar="N", help="of scale (20)")
    command.add_argument("--light", action="store_true", help="of scale: all in one process, by Flower's fleet API")
    told = "of scale: an update of about this many MB (a few bytes)"
    command.add_argument("--megabytes", type=int, choices=[100, 400], default=0, help=told)
    command.add_argument("--repeats", type=turns, default=9, metavar="N", help="turns of each case, or rounds (9)")
    command.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="where a folder is made")


def opening(arguments: argparse.Namespace) -> "tuple[Study, Console]":
    """The study and where to print; a fault of the file is told before torch is imported."""
    from rich.console import Console

    from shared.study_file import load_study

    own = load_study(arguments.study).source.own if getattr(arguments, "as_published", False) else ()
    study = load_study(arguments.study, [*own, *arguments.set])
    console = Console(width=None if sys.stdout.isatty() else 112)
    console.print(f"[bold]{study.name}[/bold]  {study.title}")
    if own:
        console.print(f"As published: {', '.join(study.source.as_published)}", markup=False)
    return study, console


def run(arguments: argparse.Namespace) -> int:
    """Run a study and print its table."""
    study, console = opening(arguments)

    from server.report.console import removal_table, summary_table
    from server.report.results import Results
    from simulations.study_run import run_study

    folder = run_study(study, arguments.data, arguments.results, console, arguments.engine)
    results = Results.read(folder)
    console.print(summary_table(results))
    if (removed := removal_table(results)) is not None:
        console.print(removed)
    for warning in results.warnings:
        console.print(f"note: {warning}", highlight=False)
    console.print(
        f"{results.timing.seconds_total:.0f} s. Report: {folder / 'report.html'}", highlight=False, soft_wrap=True
    )
    return DONE


def price(arguments: argparse.Namespace) -> int:
    """Measure what privacy costs."""
    study, console = opening(arguments)

    from simulations.price.run import run_price

    request = (arguments.epsilons, arguments.draws)
    folder = run_price(study, arguments.data, arguments.results, request, console)
    console.print(f"Table and figure: {folder}", highlight=False, soft_wrap=True)
    return DONE


def audit(arguments: argparse.Namespace) -> int:
    """Attack a study's training, and print what was found; a refuted guarantee is a failure."""
    study, console = opening(arguments)

    from simulations.audit.findings import violations
    from simulations.audit.study_audit import run_audit
    from simulations.audit.table import findings_table

    size = (arguments.canaries, arguments.trials)
    folder, findings = run_audit(study, arguments.data, arguments.results, size, console)
    console.print(findings_table(findings))
    console.print(f"Written: {folder}", highlight=False, soft_wrap=True)
    return FAILED if violations(findings) else DONE


def bench(arguments: argparse.Namespace) -> int:
    """Time a step with and without privacy, or rounds."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 112)
    if arguments.what == "federation":
        from simulations.bench.federation import run_federation_bench

        folder = run_federation_bench(arguments.results, arguments.repeats, console)
    elif arguments.what == "scale":
        from simulations.bench.scale.run import Case, run_scale_bench

        case = Case(arguments.hospitals, arguments.light, arguments.repeats, arguments.megabytes)
        folder = run_scale_bench(arguments.results, case, console)
    else:
        from simulations.bench.run import run_bench

        folder = run_bench(arguments.results, arguments.repeats, console)
    console.print(f"Written: {folder}", highlight=False, soft_wrap=True)
    return DONE


def show(arguments: argparse.Namespace) -> int:
    """Draw one invented patient."""
    study, console = opening(arguments)

    from simulations.show.patient import show_patient

    show_patient(study, arguments.site, arguments.patient, arguments.target)
    console.print(f"Drawn: {arguments.target}", highlight=False, soft_wrap=True)
    return DONE


def sheets(arguments: argparse.Namespace) -> int:
    """Draw the contact sheets."""
    from simulations.show.sheets import write_sheets

    for path in write_sheets(arguments.target):
        print(path)
    return DONE


def table(arguments: argparse.Namespace) -> int:
    """Print the catalog."""
    from rich.console import Console

    from simulations.catalog.listing import listing

    Console(width=None if sys.stdout.isatty() else 150).print(listing(arguments.results))
    return DONE


def every(arguments: argparse.Namespace) -> int:
    """Run the catalog; a study that failed is a failure."""
    from rich.console import Console

    from simulations.catalog.run import run_catalog, studies
    from simulations.catalog.sizes import SIZES

    console = Console(width=None if sys.stdout.isatty() else 130)
    name = "quick" if arguments.quick else "ample" if arguments.ample else "catalog"
    size, results = SIZES[name], arguments.results or Path("results") / name
    jobs = arguments.jobs or min(len(os.sched_getaffinity(0)), 4)
    lines = run_catalog(studies(arguments.only, size), results, size, console, jobs)
    failed = [line.name for line in lines if line.faults]
    if failed:
        console.print(f"Failed: {', '.join(failed)}", style="bold", highlight=False)
    return FAILED if failed else DONE


def turns(text: str) -> int:
    """A number of repetitions."""
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 at least")
    return value


def count(text: str) -> int:
    """A number of trials: with fewer than ten nothing can be shown."""
    if (value := int(text)) < 10:
        raise argparse.ArgumentTypeError("must be 10 at least")
    return value


def bring(arguments: argparse.Namespace) -> int:
    """Import public data."""
    from simulations.importers import IMPORTERS

    for sentence in IMPORTERS[arguments.name](arguments.source, arguments.target, arguments.sites):
        print(sentence)
    return DONE


if __name__ == "__main__":
    given = parser().parse_args()
    commands = {
        "run": run,
        "list": table,
        "all": every,
        "price": price,
        "audit": audit,
        "bench": bench,
        "show": show,
        "sheets": sheets,
        "import": bring,
    }
    sys.exit(run_command(lambda: commands[given.command](given)))
