"""A Flower grid inside one process: the same apps and serialized messages, without Ray and without a network."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.proto.node_pb2 import NodeInfo
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

FIRST_NODE = 10
CRASHED = 2  # Flower's code for an exception in a ClientApp

Watch = Callable[[str, Message], None]
Delays = Callable[[str, Message], float]
Crashes = Callable[[str, Message], bool]


class InProcessGrid(Grid):
    """Calls the ClientApp of each node when its reply is pulled.

    ``watch`` sees every message that crosses, in both directions, with the hospital's name; ``delay`` says how many
    seconds a reply is late, and ``crash`` whether the program of a hospital crashes on a message.
    """

    def __init__(
        self,
        app: ClientApp,
        nodes: Mapping[str, Mapping[str, str]],
        watch: Watch | None = None,
        delay: Delays | None = None,
        crash: Crashes | None = None,
    ) -> None:
        # Flower asks for the identity of the running task before it makes a Message; here there is one process.
        TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1
        self._app, self._watch, self._delay, self._crash = app, watch, delay, crash
        self._names = {FIRST_NODE + place: name for place, name in enumerate(nodes)}
        self._contexts = {
            node: Context(run_id=1, node_id=node, node_config=dict(nodes[name]), state=RecordDict(), run_config={})
            for node, name in self._names.items()
        }
        self._pushed: dict[str, tuple[Message, float]] = {}  # with the time from which its reply can be had

    def set_run(self, run: Run) -> None:
        """Nothing to set: there is one run."""

    @property
    def run(self) -> Run:
        """The one run."""
        return Run.create_empty(run_id=1)

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        """A message, as Flower's own constructor makes it."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """All nodes; they are always connected."""
        return list(self._names)

    def get_nodes(self) -> Iterable[NodeInfo]:
        """All nodes with the hospitals' names."""
        return [NodeInfo(node_id=node, name=name) for node, name in self._names.items()]

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Take messages; their replies can be pulled at once, or after their delay."""
        identifiers = []
        for message in messages:
            identifier = str(uuid.uuid4())
            message.metadata.__dict__["_message_id"] = identifier
            name = self._names[message.metadata.dst_node_id]
            late = self._delay(name, message) if self._delay else 0.0
            self._pushed[identifier] = (message, time.monotonic() + late)
            identifiers.append(identifier)
        return identifiers

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """The replies that are due, made now, one hospital after the other; the next when this one was taken."""
        for identifier in message_ids:
            if identifier in self._pushed and self._pushed[identifier][1] <= time.monotonic():
                message, _ = self._pushed.pop(identifier)
                yield self._answer(_copied(message))  # now, so that tasks of all hospitals share their arrays

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Iterable[Message]:
        """Push, and pull what is due before ``timeout`` seconds have passed (None: all)."""
        waiting = list(self.push_messages(messages))
        until = None if timeout is None else time.monotonic() + timeout
        replies: list[Message] = []
        while waiting and (until is None or time.monotonic() < until):
            replies += self.pull_messages(waiting)
            waiting = [identifier for identifier in waiting if identifier in self._pushed]
        return replies

    def _answer(self, message: Message) -> Message:
        name = self._names[message.metadata.dst_node_id]
        if self._watch:
            self._watch(name, message)
        try:
            if self._crash and self._crash(name, message):
                raise RuntimeError("this hospital's program was made to crash")
            reply = self._app(message, self._contexts[message.metadata.dst_node_id])
        except Exception as failure:  # as a SuperNode does: the server gets an error in place of a reply
            reply = Message(Error(code=CRASHED, reason=type(failure).__name__), reply_to=message)
        reply = _copied(reply)
        if self._watch:
            self._watch(name, reply)
        return reply


def _copied(message: Message) -> Message:
    """Through Flower's own serialization and back, so that neither side can change what the other holds."""
    return message_from_proto(message_to_proto(message))
