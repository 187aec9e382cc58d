"""What privacy costs in time: one step with and without it, side by side."""
