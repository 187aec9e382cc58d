"""Public tables as they are released: csv or csv.gz, all checked before any is read, read in parts of bounded size."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import FileError, Problem
from simulations.site_file import write_site_file

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 500_000  # rows read at once
ENDINGS = (".csv", ".csv.gz")
NO_TABLE = "is cut off, or not a table of UTF-8 text"
DIGESTS = "**/SHA256SUMS*.txt"  # as PhysioNet puts them beside a release, which may lie in a folder of its own
MORE_LISTS = (
    "; to have all checked, lay each release's SHA256SUMS.txt into any folder below, "
    "or beside another's as SHA256SUMS-2.txt"
)


@dataclass(frozen=True)
class Release:
    """A folder of downloaded tables, at any depth of it; ``columns`` are those read, by table, as "hosp/admissions"."""

    folder: Path
    columns: Mapping[str, tuple[str, ...]]
    remedy: str  # where the right files come from

    def check(self) -> str:
        """What was held against published digests, in a sentence; FileError with all that is absent or altered."""
        published = self._published()
        problems = [problem for name in self.columns if (problem := self._fault(name, published))]
        if problems:
            raise FileError(problems)
        known = sum(self._place(name) in published for name in self.columns)
        told = f"{known} of {len(self.columns)} files have a published digest in the folder, and agree with it"
        return told if known == len(self.columns) else told + MORE_LISTS

    def parts(self, name: str) -> "Iterator[pd.DataFrame]":
        """A table's columns that are read, as text, CHUNK rows at once; FileError where it is no such table."""
        import pandas as pd

        wanted = list(self.columns[name])
        try:
            with pd.read_csv(
                self.path(name), usecols=wanted, dtype=str, keep_default_na=False, chunksize=CHUNK, encoding="utf-8"
            ) as reader:
                for part in reader:
                    yield part.fillna("")
        except (OSError, EOFError, UnicodeError, pd.errors.ParserError):
            raise FileError([Problem(self._place(name), "", NO_TABLE, self.remedy)]) from None

    def whole(self, name: str) -> "pd.DataFrame":
        """A small table at once."""
        import pandas as pd

        return pd.concat(list(self.parts(name)), ignore_index=True)

    def path(self, name: str) -> Path:
        """The file of a table that was checked."""
        return self._found(name)[0]

    def _found(self, name: str) -> list[Path]:
        """Files of a table: the one in the folder itself, else all in folders below, as of releases side by side."""
        for above in ("", "**/"):
            for end in ENDINGS:
                if found := sorted(path for path in self.folder.glob(f"{above}{name}{end}") if path.is_file()):
                    return found
        return []

    def _place(self, name: str) -> str:
        """A table's file as its release names it, wherever that lies."""
        found = self._found(name)
        return name + ".csv" + (".gz" if found and found[0].suffix == ".gz" else "")

    def _published(self) -> dict[str, set[str]]:
        """SHA-256 by a release's own path, from the lists of all releases."""
        lists = "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob(DIGESTS)))
        published = defaultdict(set)
        for digest, place in re.findall(r"^([0-9a-f]{64})[ *]+(\S+)$", lists, re.MULTILINE):
            published[place].add(digest)
        return dict(published)

    def _fault(self, name: str, published: Mapping[str, set[str]]) -> Problem | None:
        import pandas as pd

        found, place = self._found(name), self._place(name)
        if not found:
            return Problem(place, "", "no such file, nor one that ends in .csv.gz", self.remedy)
        if len(found) > 1:
            return Problem(place, "", f"lies in {len(found)} folders", "keep one release below the folder")
        path = found[0]
        if place in published and file_digest(path) not in published[place]:
            return Problem(place, "", "is not the published file: its SHA-256 differs", self.remedy)
        try:
            header = set(pd.read_csv(path, nrows=0, encoding="utf-8").columns)
        except pd.errors.EmptyDataError:
            header = set()
        except (OSError, EOFError, UnicodeError, pd.errors.ParserError):
            return Problem(place, "", NO_TABLE, self.remedy)
        missing = [column for column in self.columns[name] if column not in header]
        return Problem(place, "", f"lacks the columns {', '.join(missing)}", self.remedy) if missing else None


@dataclass
class Folders:
    """The hospitals' folders that an import writes: a table's first part replaces an old file, others follow it."""

    target: Path
    begun: set[Path] = field(default_factory=set)

    def write(self, site: str, table: str, rows: "pd.DataFrame") -> None:
        """Add rows to a table of one hospital; its folder and ``site.toml`` are made."""
        path = self.target / site / table
        if not path.parent.is_dir() or not any(path.parent == old.parent for old in self.begun):
            write_site_file(path.parent, site)
        rows.to_csv(path, mode="a" if path in self.begun else "w", header=path not in self.begun, index=False)
        self.begun.add(path)

    def write_by_site(self, table: str, rows: "pd.DataFrame", sites: Sequence[str]) -> None:
        """Rows with their hospital in a column ``site``, one table a hospital; an empty one has its header."""
        for site in sites:
            own = rows[rows["site"] == site]
            if len(own) or self.target / site / table not in self.begun:
                self.write(site, table, own.drop(columns="site"))


def file_digest(path: Path, kind: str = "sha256") -> str:
    """A file's digest in hexadecimal, of any size in little memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def moments(cells: "pd.Series[str]") -> Any:
    """Times of cells such as "2180-07-23" or "2180-07-23 14:00:00"; what cannot be read is no time."""
    import pandas as pd

    return pd.to_datetime(cells, errors="coerce", format="ISO8601")


def hours(later: Any, earlier: Any) -> Any:
    """Hours from one series of times to another."""
    return (later - earlier).dt.total_seconds() / 3600


def joined(parts: Sequence[Any]) -> Any:
    """Parts of a table one after the other; those without rows go, but for one that keeps the columns."""
    import pandas as pd

    return pd.concat([part for part in parts if len(part)] or list(parts[:1]))


def numbers(cells: Any) -> Any:
    """Numbers of cells; what cannot be read is NaN."""
    import pandas as pd

    return pd.to_numeric(cells, errors="coerce")


def site_name(text: str) -> str:
    """A hospital's name as a study may write it: "Emergency Room" becomes "emergency-room"."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-")


def chosen(sites: str, choices: Sequence[str]) -> str:
    """What makes a hospital, the first choice by default; FileError where it is none of them."""
    if sites and sites not in choices:
        rule = f"must be {' or '.join(choices)}" if any(choices) else "is not an option of this data set"
        raise FileError([Problem("--sites", "", rule)])
    return sites or choices[0]


def sizes(counts: Mapping[str, int]) -> str:
    """How to declare the hospitals' sizes when a study of the catalog is run on them."""
    overrides = " ".join(f"--set sites.{site}.patients={count}" for site, count in counts.items())
    return f"a study declares its hospitals' sizes; for these: {overrides}"


def reasons(dropped: Mapping[str, int]) -> list[str]:
    """What was dropped and why, a sentence each."""
    return [f"{count} dropped: {why}" for why, count in dropped.items() if count]
