"""A hospital whose clock is off is told so, by the date of the coordinator's own answer."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from client.clock import clock_note
from server.certificates import ensure_authority, ensure_server_certificate
from server.federation_file import load_federation


class Coordinator(BaseHTTPRequestHandler):
    """Answers with the date of a clock that is ``off`` by so many seconds; None: with no date."""

    off: int | None = 0

    def do_HEAD(self) -> None:
        self.send_response_only(404)
        if self.off is not None:
            self.send_header("Date", self.date_time_string(time.time() + self.off))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def coordinator(folder: Path, off: int | None) -> Iterator[tuple[str, Path]]:
    """Where it listens, and its authority's certificate."""
    hospital = f'[hospitals.north]\nrequest = "north.request.json"\nfingerprint = "SHA256:{"A" * 43}"\n'
    (folder / "federation.toml").write_text(f'name = "clocks"\naddress = "127.0.0.1:9092"\n{hospital}')
    federation = load_federation(folder / "federation.toml")
    federation.state.mkdir(parents=True)
    ensure_authority(federation.state)
    ensure_server_certificate(federation)
    server = HTTPServer(("127.0.0.1", 0), type("Off", (Coordinator,), {"off": off}))
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    known.load_cert_chain(federation.state / "server.crt", federation.state / "server.key")
    server.socket = known.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield f"127.0.0.1:{server.server_port}", federation.state / "ca.crt"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@pytest.mark.parametrize(
    ("off", "told"),
    [
        (0, ""),
        (3, ""),
        (200, ""),  # behind by less than the server allows
        (None, ""),
        (-90_000, "clock is 25 h 0 min ahead of the coordinator's"),
        (-60, "clock is 1 min"),
        (7_230, "clock is 2 h 0 min behind the coordinator's"),
    ],
)
def test_a_clock_that_is_off_is_told_with_the_remedy(off: int | None, told: str, tmp_path: Path) -> None:
    with coordinator(tmp_path, off) as (superlink, authority):
        note = clock_note(superlink, authority)
    assert told in note
    assert bool(note) == bool(told) == ("timedatectl" in note)


def test_where_the_coordinator_is_silent_or_another_nothing_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ensure_authority(other)
    with coordinator(tmp_path, -90_000) as (superlink, authority):
        assert clock_note(superlink, other / "ca.crt") == ""
    assert clock_note(superlink, authority) == ""
    assert clock_note("127.0.0.1:99999999", authority) == ""
    authority.write_text("no certificate")
    assert clock_note(superlink, authority) == ""
