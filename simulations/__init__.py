"""Both sides in one process, over invented or imported hospitals; never shipped to a hospital."""
