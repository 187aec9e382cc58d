"""How the figures of measurements look, which matplotlib draws: the report's colours, no fonts, the same bytes."""

STYLE: dict[str, object] = {
    "svg.hashsalt": "medley",  # without it identifiers are random
    "svg.fonttype": "none",  # text stays text: searchable, and set in the reader's own font
    "font.size": 8.5,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
