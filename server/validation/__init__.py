"""From what the hospitals released to the figures of the report."""
