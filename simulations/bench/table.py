"""The benchmark as a table for the terminal, in about 110 columns."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from simulations.bench.measure import Ratio, Row, Verdict

DASH = "–"
COLUMNS = ("case", "n", "weights", "plain", "private", "hooks", "other", "× plain", "× hooks", "bars")
NOTES = (
    "Milliseconds a step (median; processor time, one thread); n patients a step. plain: the same step without "
    "privacy. private: a hospital's round with clip and noise (3 steps; loop: 1), its set-up included, but for the "
    "recording of its gradient, made once a model in the turn that is not timed; plain and hooks are set up before the "
    "clock. hooks: Opacus' GradSampleModule and DPOptimizer with torch's own noise, timed where they compute the same "
    "sum. other: the private step by the mode that the encoders do not ask for (v vmap, l loop). ×: private over the "
    "other, median of the turns and, below, lowest to highest. Bars on the medians: 1.5 × plain for heads on cached "
    "inputs, 2.5 × for convolutional encoders and transformers, 5.5 × for recurrent ones; 1.3 × hooks, 0.5 × for 3-D "
    "convolutions and recurrent ones. A fusion row trains the 4 fused heads of all 7 combinations at once; the 3 heads "
    "of one modality train with their encoders."
)


def bench_table(rows: Sequence[Row]) -> Table:
    """A row a case, and how many bars were met under the table."""
    table = Table(
        title="One step with and without privacy",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        caption_justify="left",
        caption_style="none",
    )
    verdicts = [verdict for row in rows for verdict in row.verdicts]
    table.caption = f"{NOTES}\n{sum(verdict.met for verdict in verdicts)} of {len(verdicts)} bars met."
    for name in COLUMNS:
        left = name in ("case", "bars")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[str | Text]:
    times = [_milliseconds(row, name) for name in ("plain", "private", "hooks")]
    mode = f"{_milliseconds(row, 'other')} {row.other_mode[0]}"
    ratios = [_ratio(row.ratios.get(name)) for name in ("plain", "hooks")]
    told = Text("\n").join(_verdict(verdict) for verdict in row.verdicts)
    return [row.name, str(row.patients), _count(row.parameters), *times, mode, *ratios, told]


def _milliseconds(row: Row, name: str) -> str:
    """Three digits, or that it fails or is wrong; the file says why."""
    if name not in row.milliseconds:
        return row.faults[name].split(":")[0]
    value = row.milliseconds[name]
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _count(value: int) -> str:
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value:,}"


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return DASH
    return f"{ratio.middle:.2f}\n{ratio.lowest:.2f}–{ratio.highest:.2f}"


def _verdict(verdict: Verdict) -> Text:
    told = f"{'met' if verdict.met else 'missed'} {verdict.limit:g} × {verdict.against}"
    return Text(told, style="" if verdict.met else "bold red")
