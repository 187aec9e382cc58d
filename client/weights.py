"""Pre-trained weights on the hospital's disk: found through ``site.toml`` by their digest, and checked against it."""

import hashlib
from functools import cache
from pathlib import Path

from client.site import Site
from shared.errors import Problem, SiteError

REMEDY = "take exactly the file that the study names, or ask the coordinator for it"


def verified_weights(site: Site, digest: str) -> Path:
    """The file or folder of a digest; SiteError where ``site.toml`` names none, or where its content is another."""
    place = f"weights.{digest[:8]}…"
    path = site.weights.get(digest)
    if path is None:
        raise SiteError(
            [
                Problem(
                    "site.toml", place, "the study needs weights that are not named", f'[weights] "{digest}" = "PATH"'
                )
            ]
        )
    if not path.exists():
        raise SiteError([Problem("site.toml", place, "there is no file or folder at its path", "correct the path")])
    if weights_digest(path) != digest:
        raise SiteError([Problem("site.toml", place, "the content has another digest", REMEDY)])
    return path


def weights_digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's sorted "relative path, SHA-256" lines; SiteError where it cannot be read."""
    try:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        states = tuple((file, state.st_size, state.st_mtime_ns) for file in files for state in [file.stat()])
        return _digest(path, states)
    except OSError:
        raise SiteError(
            [Problem("site.toml", "weights", "a file cannot be opened", "give this program the right to read it")]
        ) from None


@cache
def _digest(path: Path, states: tuple[tuple[Path, int, int], ...]) -> str:
    """The digest, made once for each state of the files."""
    digests = {}
    for file, _, _ in states:
        with file.open("rb") as content:
            digests[file] = hashlib.file_digest(content, "sha256").hexdigest()
    if path in digests:
        return digests[path]
    lines = sorted(f"{file.relative_to(path).as_posix()}, {digest}\n" for file, digest in digests.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
