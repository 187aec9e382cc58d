"""The coordinator's commands, one module each: ``add`` its options, and ``run`` it."""
