"""One row of the hospital's table in all modalities, drawn for its own people; nothing of it is logged or sent."""
