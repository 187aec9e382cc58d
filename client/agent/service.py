"""The door through which couriers reach the agent: a gRPC server on a Unix domain socket, or on TCP with certificates.

One task at a time; who waits, and who waits for a long task, gets a sign of life every few seconds. A task goes on when
its courier has died: what it released lies in the outbox for the next one who asks.
"""

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import Empty, Queue

import grpc

from client.agent.agent import INTERNAL, Agent, place_of
from client.connection import AGENT_KEYS
from client.exchange import BEAT, END, METHOD, OPTIONS, SERVICE, chunks, short
from client.site import Front
from client.state import private_folder
from shared.errors import PrivacyRefusal, Problem, SiteError
from shared.wire import Envelope, Refused

log = logging.getLogger(__name__)

CALLS = 4  # couriers that may be here at once: one is served, the others wait
RECEIVING = 600.0  # seconds in which a message must have come
STILL = b""  # a chunk that says "at work"
NOT_TYPED = PrivacyRefusal("not-typed", "the message is none of the known ones")
TOO_LARGE = PrivacyRefusal("too-large", "the message is larger than this hospital takes")


class Service:
    """Serves one agent until it is stopped."""

    def __init__(self, agent: Agent, front: Front, beat: float = BEAT) -> None:
        self._agent, self._front, self._beat = agent, front, beat
        self._turn = threading.Lock()
        self._open = ExitStack()  # what the socket's name needs while it is served
        self._server = grpc.server(
            ThreadPoolExecutor(CALLS), options=[*OPTIONS, ("grpc.so_reuseport", 0)], maximum_concurrent_rpcs=CALLS
        )
        handlers = {METHOD: grpc.stream_stream_rpc_method_handler(self._serve)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def start(self) -> None:
        """Listen; SiteError where that is not possible."""
        try:
            if self._front.connection.address:
                self._listen_tls()
            else:
                self._listen_socket()
        except (OSError, RuntimeError, LookupError) as failure:
            log.error("cannot listen: %s", place_of(failure))
            problem = Problem("site.toml", "connection", "the agent cannot listen there", "see docs/hospital.md")
            raise SiteError([problem]) from None
        self._server.start()

    def stop(self, grace: float) -> None:
        """Take no more calls, give those under way ``grace`` seconds, and close."""
        self._server.stop(grace).wait()
        self._open.close()

    def turn(self) -> threading.Lock:
        """Held by whoever works: while it is held, couriers wait."""
        return self._turn

    def _listen_socket(self) -> None:
        """Nobody but the owner can use the socket, or beside him the members of the courier's group."""
        socket, group = self._front.connection.socket, self._front.connection.group
        if not socket.parent.is_dir():
            private_folder(socket.parent)
        before = os.umask(0o177)
        try:
            self._server.add_insecure_port(self._open.enter_context(short(f"unix:{socket}")))
        finally:
            os.umask(before)
        if group:
            shutil.chown(socket, group=group)
            socket.chmod(0o660)

    def _listen_tls(self) -> None:
        folder = self._front.state / AGENT_KEYS
        key, own, courier = ((folder / name).read_bytes() for name in ("agent.key", "agent.crt", "courier.crt"))
        known = grpc.ssl_server_credentials([(key, own)], root_certificates=courier, require_client_auth=True)
        port = self._front.connection.address.rpartition(":")[2]
        self._server.add_secure_port(f"[::]:{port}", known)

    def _serve(self, parts: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """One call: take the message, work, answer."""
        context.send_initial_metadata(())  # the courier knows now that somebody is here
        while not self._turn.acquire(timeout=self._beat):
            yield STILL
        try:
            order = [self._received(parts, context)]
        except Exception:  # the courier died in mid-message
            self._turn.release()
            return
        done: Queue[bytes] = Queue(1)
        threading.Thread(target=self._work, args=(order, done), daemon=True).start()
        while (answer := self._taken(done)) is None:
            yield STILL
        yield from chunks(answer)

    def _received(self, parts: Iterator[bytes], context: grpc.ServicerContext) -> bytes | None:
        """The whole message, or None where it is too large; EOFError where it broke off."""
        late = threading.Timer(RECEIVING, context.cancel)
        late.daemon = True
        late.start()
        try:
            content: list[bytes] = []
            size = 0
            for part in parts:
                if part == END:
                    return b"".join(content)
                size += len(part)
                if size > self._front.connection.max_bytes:
                    return None
                content.append(part)
            raise EOFError
        finally:
            late.cancel()

    def _work(self, order: list[bytes | None], done: Queue[bytes]) -> None:
        """In a thread of its own, as it ends its turn also where nobody waits for the answer any more.

        ``order`` holds the message, which is taken out of it: nobody else keeps it while the work goes on.
        """
        try:
            answer = self._reply(order.pop())
        except Exception as failure:  # a courier must not wait for ever
            log.error("could not answer: %s", place_of(failure))
            answer = Envelope(Refused(code=INTERNAL.code, sentence=INTERNAL.sentence))
        finally:
            self._turn.release()
        done.put(answer.to_bytes())

    def _reply(self, content: bytes | None) -> Envelope:
        if content is None:
            return self._agent.refuse(TOO_LARGE)
        try:
            task = Envelope.from_bytes(content)
        except ValueError:
            return self._agent.refuse(NOT_TYPED)
        return self._agent.answer(task)

    def _taken(self, done: Queue[bytes]) -> bytes | None:
        try:
            return done.get(timeout=self._beat)
        except Empty:
            return None
