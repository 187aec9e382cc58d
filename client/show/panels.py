"""How a modality of one row is drawn, by kind, from the tensor that the study's reader made of its files."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shared.modalities.series import CHANNELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
Panel = Callable[["Axes", Any, Array, Mapping[str, str]], None]
LINE, LINES = 62, 15  # letters a line of a note, and lines that are shown
MOST = 6  # tiles side by side
BESIDE = 28  # bytes a line


def draw_table(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The cells as they stand in the table."""
    lines = [f"{name:<20}{row.get(name, '') or '-'}" for name in spec.columns]
    _write(axes, lines, mono=True)


def draw_series(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """A line for each variable over the window, from the low to the high end of its range."""
    hours = (np.arange(spec.steps) + 0.5) * spec.hours / spec.steps - spec.hours
    for place in range(len(spec.variables)):
        seen = tensor[:, place, CHANNELS.index("observed")] > 0
        level = tensor[:, place, CHANNELS.index("mean")][seen]
        spread = max(float(np.ptp(level)) if len(level) else 0.0, 0.15)
        middle = float(np.mean(level)) if len(level) else 0.0
        height = place + 0.7 * (level - middle) / spread
        axes.plot(hours[seen], height, ".-", color="black", linewidth=0.8, markersize=3)
    axes.set_yticks(range(len(spec.variables)), list(spec.variables), fontsize=6)
    axes.set_xlabel("hours before the prediction", fontsize=6)
    axes.tick_params(labelsize=6)


def draw_signal(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The first four seconds of every lead, one below the other."""
    shown = tensor[:, : round(4 * spec.rate)] * (spec.range[1] - spec.range[0]) / 2
    time = np.arange(shown.shape[1]) / spec.rate
    for place, wave in enumerate(shown):
        axes.plot(time, wave - 1.8 * place, color="black", linewidth=0.6)
    axes.set_yticks([-1.8 * place for place in range(len(shown))], list(spec.leads), fontsize=6)
    axes.set_xlabel("seconds", fontsize=6)
    axes.tick_params(labelsize=6)


def draw_image(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The picture."""
    _tiles(axes, [tensor.transpose(1, 2, 0)])


def draw_bag(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The pictures, side by side."""
    taken = [picture.transpose(1, 2, 0) for picture in tensor if picture.any()]
    _tiles(axes, taken)


def draw_volume(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """Of one channel the middle slices along three axes; of several each one's middle slice across the body."""
    if len(tensor) == 1:
        x, y, z = (side // 2 for side in tensor.shape[1:])
        _tiles(axes, [_upright(tensor[0, :, :, z]), _upright(tensor[0, :, y, :]), _upright(tensor[0, x, :, :])])
    else:
        _tiles(axes, [_upright(channel[:, :, channel.shape[2] // 2]) for channel in tensor])


def draw_text(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The note's beginning."""
    text = bytes(tensor[tensor > 0].astype(np.uint8)).decode("utf-8", errors="replace")
    _write(axes, [line for part in text.splitlines() for line in textwrap.wrap(part, LINE)])


def draw_concepts(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The codes where they stand in a cell; of those of a table only how many there are."""
    told = row.get(spec.column, "") if spec.column else f"{int((tensor > 0).sum())} codes"
    _write(axes, textwrap.wrap(told, LINE))


def draw_bytes(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """Each byte as a shade of grey."""
    length = len(tensor) // BESIDE * BESIDE
    _tiles(axes, [tensor[:length].reshape(-1, BESIDE) / 256])


def draw_grid(axes: "Axes", spec: Any, tensor: Array, row: Mapping[str, str]) -> None:
    """The last frames of the first channel, the latest on the right."""
    _tiles(axes, [frame[0] for frame in tensor[-MOST:]], colours="turbo")


PANELS: dict[str, Panel] = {
    "tabular": draw_table,
    "series": draw_series,
    "signal": draw_signal,
    "image": draw_image,
    "volume": draw_volume,
    "bag": draw_bag,
    "text": draw_text,
    "concepts": draw_concepts,
    "bytes": draw_bytes,
    "grid": draw_grid,
}


def _upright(slice_: Array) -> Array:
    """Right to the right, and front or top upwards."""
    return np.asarray(slice_.T[::-1])


def _tiles(axes: "Axes", pictures: Sequence[Array], colours: str = "gray") -> None:
    """Pictures of [0, 1] side by side with a white gap, scaled to one height."""
    height = max(picture.shape[0] for picture in pictures)
    parts: list[Array] = []
    for picture in pictures[:MOST]:
        flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
        below = height - flat.shape[0]
        parts.append(np.pad(flat, [(0, below), (0, 2), *[(0, 0)] * (flat.ndim - 2)], constant_values=1.0))
    axes.imshow(np.clip(np.concatenate(parts, axis=1), 0, 1), cmap=colours, vmin=0, vmax=1)
    axes.axis("off")


def _write(axes: "Axes", lines: Sequence[str], mono: bool = False) -> None:
    """Lines of text, the first ones where there are too many."""
    shown = [*lines[:LINES], *(["..."] if len(lines) > LINES else [])]
    family = "monospace" if mono else "sans-serif"
    axes.text(0, 1, "\n".join(shown), va="top", ha="left", fontsize=6.5, family=family, parse_math=False)
    axes.axis("off")
