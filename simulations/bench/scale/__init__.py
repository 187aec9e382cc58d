"""How far a real server goes: many hospitals, and large updates; a benchmark."""
