"""The catalog as a whole: its table, and one command that runs every study that can be invented."""
