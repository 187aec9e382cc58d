"""The Flower ClientApp: a courier that carries messages between the server and the hospital's agent.

It imports neither torch nor the data's readers by itself, decides nothing, and lets no exception's text out.
"""

from collections.abc import Callable
from pathlib import Path

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from shared.wire import Envelope, Refused

Reach = Callable[[Context, Envelope], Envelope]


def courier(reach: Reach) -> ClientApp:
    """A ClientApp whose every message goes to the agent that ``reach`` finds, and back."""
    app = ClientApp()

    def carry(message: Message, context: Context) -> Message:
        return Message(_answer(reach, message, context).to_record(), reply_to=message)

    app.train()(carry)
    app.evaluate()(carry)
    app.query("describe")(carry)
    app.query("tally_threshold")(carry)
    return app


def _answer(reach: Reach, message: Message, context: Context) -> Envelope:
    try:
        task = Envelope.from_record(message.content)
    except ValueError:
        return Envelope(Refused(code="not-typed", sentence="the message is none of the known ones"))
    try:
        return reach(context, task)
    except Exception:  # Flower would send the exception's own text to the server
        return Envelope(Refused(code="unreachable", sentence="this hospital's agent could not be reached"))


def reach_own_site(context: Context, task: Envelope) -> Envelope:
    """Answer with the agent of the hospital whose ``site-file`` the SuperNode's own configuration names.

    The agent is built anew for each message, as Flower starts a process for each; its state is on the disk.
    """
    from client.agent.agent import Agent
    from client.archive import Archive
    from client.site import load_site
    from client.state import CACHE

    site = load_site(Path(str(context.node_config["site-file"])))
    return Agent(Archive(site, site.state / CACHE), site).answer(task)


app = courier(reach_own_site)
