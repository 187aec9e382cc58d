"""The Flower app bundle of this checkout: what hospitals and the server run in a federation."""

import hashlib
import shutil
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHIPPED = ("server", "client", "shared")


def build_bundle() -> tuple[str, bytes]:
    """(SHA-256, zip) by Flower's own builder; the same files give the same bytes.

    It is made from a copy of the shipped folders, since the builder judges the name and the content of its folder.
    """
    from flwr.cli.build import build_fab_from_disk

    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "medley"
        copy.mkdir()
        for name in ("pyproject.toml", ".gitignore"):
            shutil.copy(ROOT / name, copy)
        for name in SHIPPED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        with warnings.catch_warnings():  # it names a class of pathspec that has a new name
            warnings.simplefilter("ignore", DeprecationWarning)
            content = build_fab_from_disk(copy)
    return hashlib.sha256(content).hexdigest(), content
