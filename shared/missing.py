"""What tables write for "not recorded"."""

EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "."})  # in small letters
