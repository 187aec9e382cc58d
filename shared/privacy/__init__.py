"""The mathematics and the records of privacy; no files."""
