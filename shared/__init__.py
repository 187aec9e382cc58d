"""What both sides of a federation must agree on; imports nothing of ours and opens no patient file."""

VERSION = "0.1.0"  # importlib.metadata knows nothing of a Flower app bundle, so the version stands here
