"""How a courier asks the hospital's agent: one gRPC call whose two streams carry the chunks of two messages.

The agent's chunks without content say "still at work", so that a task may last for hours while a dead agent is noticed
within a minute. The courier's chunk without content ends its message: gRPC alone may show a broken call as an ended
one. A question may be asked again: for a round that was answered the same bytes come back.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc

from shared.errors import RunError

SERVICE, METHOD = "medley.Agent", "Answer"
CHUNK = 1 << 20  # bytes of a message that travel together
END = b""  # the chunk after a courier's last one
BEAT = 5.0  # seconds between two signs of life of an agent at work
SILENCE = 60.0  # seconds without one after which it counts as dead
LONGEST = 12 * 3600.0  # seconds for one answer, as long as Flower keeps a message
PATIENCE = 120.0  # seconds in which an agent must be there: a restart with cold imports on a busy machine
ATTEMPTS = 3
LONGEST_NAME = 107  # bytes of a Unix domain socket's path
OPTIONS = [
    ("grpc.max_receive_message_length", 2 * CHUNK),
    ("grpc.max_send_message_length", 2 * CHUNK),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class Unreachable(RunError):
    """The agent is not there, or went away each time."""


def exchange(target: str, content: bytes, certificates: Path | None = None, patience: float = PATIENCE) -> bytes:
    """The agent's answer to a message; ``target`` is "unix:PATH", or "host:port" with the folder of certificates.

    Raises Unreachable where nobody listens for ``patience`` seconds, or the agent dies again and again over it.
    """
    for _ in range(ATTEMPTS):
        with _connected(target, certificates) as channel, suppress(grpc.RpcError):
            return _answered(channel, content, patience)
    raise Unreachable("the hospital's agent ends again and again")


def _answered(channel: grpc.Channel, content: bytes, patience: float) -> bytes:
    """One call; a watch ends it where nobody listens for ``patience`` seconds, or the agent gives no sign of life."""
    asked = channel.stream_stream(f"/{SERVICE}/{METHOD}")
    call = asked(whole(content), timeout=LONGEST, wait_for_ready=True)
    ended, given_up, due = threading.Event(), threading.Event(), [time.monotonic() + patience]

    def watch() -> None:
        while not ended.wait(0.2):
            if time.monotonic() > due[0]:
                given_up.set()
                call.cancel()

    threading.Thread(target=watch, daemon=True).start()
    parts = []
    try:
        call.initial_metadata()  # the agent sends it when it takes the call
        due[0] = time.monotonic() + SILENCE
        for part in call:
            due[0] = time.monotonic() + SILENCE
            parts.append(part)
        return b"".join(parts)
    except grpc.RpcError:
        if given_up.is_set():
            raise Unreachable("the hospital's agent does not answer") from None
        raise
    finally:
        ended.set()


def whole(content: bytes) -> Iterator[bytes]:
    """What a courier sends: the pieces of a message and its end."""
    yield from chunks(content)
    yield END


def chunks(content: bytes) -> Iterator[bytes]:
    """A message in the pieces in which it travels."""
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


@contextmanager
def _connected(target: str, certificates: Path | None) -> Iterator[grpc.Channel]:
    with short(target) as name:
        if certificates is None:
            channel = grpc.insecure_channel(name, OPTIONS)
        else:
            files = [certificates / file for file in ("agent.crt", "courier.key", "courier.crt")]
            known = grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))
            channel = grpc.secure_channel(name, known, OPTIONS)
        try:
            yield channel
        finally:
            channel.close()


@contextmanager
def short(target: str) -> Iterator[str]:
    """The target by a name that the operating system takes: a long path goes by the handle of its folder on Linux."""
    path = Path(target.removeprefix("unix:"))
    if not target.startswith("unix:") or len(os.fsencode(path)) <= LONGEST_NAME:
        yield target
        return
    if sys.platform != "linux":
        raise RunError(f"the socket's path is longer than {LONGEST_NAME} bytes: set connection.socket in site.toml")
    handle = os.open(path.parent, os.O_PATH)
    try:
        yield f"unix:/proc/self/fd/{handle}/{path.name}"
    finally:
        os.close(handle)
