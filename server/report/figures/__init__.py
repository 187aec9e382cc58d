"""The report's figures, each an SVG document."""
