"""USTC-TFC2016: sessions of benign programs and of malware (Wang et al., ICOIN 2017), as encrypted-traffic reads it.

A session is all packets between two ends of one transport protocol. Its payload is kept without any header, so that
no address and no port is left.
"""

import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import FileError, Problem
from simulations.importers.tables import Folders, reasons, site_name, sizes

KINDS = {"benign": "benign", "malware": "malware"}  # folder in small letters -> traffic
ENDINGS = (".pcap", ".pcapng", ".pcap.gz")
BYTES = 784  # of payload kept, as its authors do
MOST = 200  # sessions of an application, so that large ones do not drown the others
SITES, SEED = ("office", "campus", "home", "laboratory"), 23  # networks of the study
METHODS = (b"GET ", b"POST", b"HEAD", b"PUT ", b"HTTP", b"OPTI", b"DELE", b"CONN")
REMEDY = "take the repository's folders Benign and Malware, and unpack what is in .7z files"
UNREADABLE = "packets that are cut off or not of TCP or UDP over IP"
COLUMNS = ("session", "traffic", "application", "duration", "packets", "bytes_out", "bytes_in", "protocol", "payload")


@dataclass
class Session:
    """What is kept of a session; ``out`` is the direction of its first packet."""

    out: tuple[bytes, int]
    begun: float
    ended: float = 0.0
    packets: int = 0
    sent: list[int] = field(default_factory=lambda: [0, 0])  # bytes of payload out and in
    payload: bytearray = field(default_factory=bytearray)

    def add(self, time: float, sender: tuple[bytes, int], content: bytes) -> None:
        """One more packet."""
        self.ended, self.packets = max(self.ended, time), self.packets + 1
        self.sent[sender != self.out] += len(content)
        self.payload += content[: BYTES - len(self.payload)]

    @property
    def protocol(self) -> str:
        """By the first bytes, not by a port."""
        if self.payload[:2] == b"\x16\x03":
            return "tls"
        return "http" if self.payload[:4] in METHODS else "other"


def import_ustc_tfc2016(source: Path, target: Path) -> list[str]:
    """Write one folder an invented network; returns what was done and dropped, in sentences. FileError with each file
    that is no capture of packets."""
    import pandas as pd

    dropped, rows, problems = Counter[str](), [], []
    for path, traffic in _captures(source):
        application = site_name(path.name.partition(".")[0])
        try:
            rows += [(traffic, application, session) for session in _sessions(path, dropped)]
        except (ValueError, OSError, EOFError):
            problems.append(Problem(path.name, "", "is not a capture of packets", REMEDY))
    if problems:
        raise FileError(problems)
    site = np.array(SITES)[np.random.default_rng(SEED).permutation(len(rows)) % len(SITES)]
    table = pd.DataFrame(list(_written(target, rows, site)), columns=[*COLUMNS, "site"])
    Folders(target).write_by_site("patients.csv", table, SITES)
    counts = {name: int((site == name).sum()) for name in SITES}
    malware = table[table["traffic"] == "malware"]["site"].value_counts()
    return [
        *(f"{name}: {count} sessions, {malware.get(name, 0)} of malware" for name, count in counts.items()),
        *reasons(dropped),
        f"the first {BYTES} bytes of each session's payload are kept, without headers; no digest is published",
        "the networks are invented: sessions were dealt out at random",
        sizes(counts),
    ]


def _captures(source: Path) -> list[tuple[Path, str]]:
    """Every capture with its traffic, by name; a file counts by the nearest folder that says which it is."""
    found = []
    for path in sorted(path for path in source.rglob("*") if path.name.lower().endswith(ENDINGS)):
        above = [part.lower() for part in path.relative_to(source).parts[:-1]]
        kinds = [KINDS[part] for part in above if part in KINDS]
        found += [(path, kinds[-1])] if kinds else []
    if absent := [kind for kind in KINDS if kind not in {own for _, own in found}]:
        rule = f"has no {' or '.join(ENDINGS)} file in a folder of that name"
        raise FileError([Problem(kind.capitalize(), "", rule, REMEDY) for kind in absent])
    return found


def _sessions(path: Path, dropped: Counter[str]) -> list[Session]:
    """The first MOST sessions of a capture that carry anything, in the order of their beginning; read as a stream."""
    known: dict[Any, Session | None] = {}  # None: of a session that is not kept
    kept = 0
    for time, key, sender, content in _packets(path, dropped):
        if key not in known:
            known[key] = Session(sender, time) if kept < MOST else None
            kept += known[key] is not None
        if session := known[key]:
            session.add(time, sender, content)
    empty = [session for session in known.values() if session and not session.payload]
    dropped["sessions without a payload"] += len(empty)
    dropped[f"sessions beyond the first {MOST} of their application"] += sum(s is None for s in known.values())
    return [session for session in known.values() if session and session.payload]


def _packets(path: Path, dropped: Counter[str]) -> Iterator[tuple[float, Any, tuple[bytes, int], bytes]]:
    """Time, session, sender and payload of each packet; ValueError where the file is no capture."""
    import dpkt

    with _opened(path) as file:
        reader = dpkt.pcap.UniversalReader(file)
        link = reader.datalink()
        packets = iter(reader)
        while True:
            try:
                time, frame = next(packets)
                packet = _network(link, frame)
                segment = packet.data
                if not isinstance(segment, dpkt.tcp.TCP | dpkt.udp.UDP):
                    raise dpkt.UnpackError
                ends = sorted([(packet.src, segment.sport), (packet.dst, segment.dport)])
                yield time, (segment.__class__, *ends), (packet.src, segment.sport), bytes(segment.data)
            except StopIteration:
                return
            except (dpkt.UnpackError, AttributeError):
                dropped[UNREADABLE] += 1


def _network(link: int, frame: bytes) -> Any:
    """The network layer of a frame, by the capture's kind of link."""
    import dpkt

    if link == dpkt.pcap.DLT_EN10MB:
        return dpkt.ethernet.Ethernet(frame).data
    if link == dpkt.pcap.DLT_LINUX_SLL:
        return dpkt.sll.SLL(frame).data
    return (dpkt.ip6.IP6 if frame[0] >> 4 == 6 else dpkt.ip.IP)(frame)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield file


def _written(target: Path, rows: list[tuple[str, str, Session]], site: Any) -> Iterator[tuple[Any, ...]]:
    """Each session's row, its payload written to a file of its network."""
    for name in SITES:
        (target / name / "payload").mkdir(parents=True, exist_ok=True)
    for number, ((traffic, application, session), where) in enumerate(zip(rows, site, strict=True), start=1):
        name, seconds = f"session-{number:06d}", round(session.ended - session.begun, 6)
        place = f"payload/{name}.bin"
        (target / where / place).write_bytes(bytes(session.payload))
        told = (seconds, session.packets, *session.sent, session.protocol)
        yield (name, traffic, application, *told, place, str(where))
