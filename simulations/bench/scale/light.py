"""Light hospitals: Flower's fleet API spoken by a thread a hospital, with the real agent behind it, in one process.

What a SuperNode and a courier do is done here without their processes, so that a machine carries hundreds. Keys,
signatures, heartbeats, messages and agents are the real ones.
"""

import multiprocessing
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from flwr.app import Context, Message, RecordDict
from flwr.app.message import remove_content_from_message
from flwr.clientapp import ClientApp
from flwr.proto.message_pb2 import ObjectTree
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects, get_object_tree
from flwr.supercore.inflatable.inflatable_utils import pull_and_inflate_object_from_tree, push_objects
from flwr.supercore.run import RunNotRunningException
from flwr.supernode.fleet_http_connection import http_request_response

Returned = TypeVar("Returned")
Connection = tuple[Any, ...]  # Flower's eight: node, receive, send, two for runs and apps, pull, push, confirm
POLL = 3.0  # seconds between two looks for a message, as a SuperNode does, or between two tries
CROWD = 8  # looks a second at most: at 20 they alone kept the SuperLink from answering anything else
TALKING = 4  # messages at a time on their way or in memory here: one by one, each waits for the other's round trips
ENDING = 60.0  # seconds for all threads to end


@dataclass(frozen=True)
class Place:
    """Where the light hospitals are, and whom they ask; keys by hospital as OpenSSH private keys."""

    server: str
    authority: Path
    study: str
    data: Path
    state: Path
    keys: Mapping[str, bytes]


@dataclass(frozen=True)
class Turns:
    """What hospitals of one process share: a few exchange messages at a time, one works."""

    talking: threading.Semaphore
    working: threading.Lock


class LightHospitals:
    """The process, for a ``with`` block."""

    def __init__(self, place: Place) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self.process = context.Process(target=_serve, args=(place, self._stop), daemon=True)

    def __enter__(self) -> "LightHospitals":
        self.process.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self.process.join(ENDING)
        self.process.kill()


def new_key() -> bytes:
    """A node key as ``python -m client keys`` makes it."""
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())


def public_of(key: bytes) -> str:
    """Its public part, as a request has it."""
    public = form.load_ssh_private_key(key, None).public_key()
    return public.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()


def _serve(place: Place, stop: Event) -> None:
    """Open all hospitals, and serve each in a thread until told to stop."""
    from client.app import courier
    from shared.study_file import study_from_text
    from simulations.arms import Hooks, Reach, open_consortium

    app = courier(Reach(open_consortium(study_from_text(place.study), place.data, place.state), Hooks()))
    turns = Turns(threading.Semaphore(TALKING), threading.Lock())
    threads = [threading.Thread(target=_hospital, args=(place, name, app, turns, stop)) for name in place.keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _hospital(place: Place, name: str, app: ClientApp, turns: Turns, stop: Event) -> None:
    """What a SuperNode does."""
    key = form.load_ssh_private_key(place.keys[name], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    authority = place.authority.read_bytes()
    with http_request_response(place.server, False, authority, (key, key.public_key())) as connection:
        context = Context(1, connection[0], {"site": name}, RecordDict(), {})
        while not stop.wait(max(POLL, len(place.keys) / CROWD)):
            received = None
            with suppress(httpx.HTTPError):
                received = connection[1]()
            if received is not None:
                with turns.talking, suppress(RunNotRunningException):
                    _answer(connection, received, partial(_reply, app, context, turns), stop)


def _reply(app: ClientApp, context: Context, turns: Turns, message: Message) -> Message:
    with turns.working:
        return app(message, context)


def _answer(
    connection: Connection, received: tuple[Message, ObjectTree], app: Callable[[Message], Message], stop: Event
) -> None:
    """Pull a message's objects, let the hospital's program reply, and push the reply's."""
    _, _, send, _, _, pull, push, confirm = connection
    run, tree = received[0].metadata.run_id, received[1]
    ours, done = partial(pull, run), partial(confirm, run)
    message = _again(lambda: pull_and_inflate_object_from_tree(tree, ours, done, return_type=Message), stop)
    message.metadata.__dict__["_message_id"] = tree.object_id
    reply = app(message)
    reply.metadata.__dict__["_message_id"] = reply.object_id
    wanted, session = _again(lambda: send(remove_content_from_message(reply), get_object_tree(reply), 0.0), stop)
    objects = get_all_nested_objects(reply)
    _again(lambda: push_objects(objects, partial(push, run, session), object_ids_to_push=wanted), stop)


def _again(call: Callable[[], Returned], stop: Event) -> Returned:
    """What ``call`` gives; once more after a pause where the server's database is locked: a SuperNode starts again."""
    while True:
        try:
            return call()
        except httpx.HTTPError:
            if stop.wait(POLL):
                raise
