"""The Flower ClientApp: a courier that carries messages between the server and the hospital's agent.

It imports neither torch nor the data's readers, decides nothing, and lets no exception's text out.
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
    app.train("boost")(carry)
    app.train("sum_hazards")(carry)
    app.evaluate()(carry)
    app.query("describe")(carry)
    app.query("count")(carry)
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


def reach_agent(context: Context, task: Envelope) -> Envelope:
    """Ask the resident agent, which the SuperNode's own configuration names, and nothing else of the hospital."""
    from client.exchange import exchange

    folder = context.node_config.get("certificates")
    answer = exchange(str(context.node_config["agent"]), task.to_bytes(), Path(str(folder)) if folder else None)
    return Envelope.from_bytes(answer)


app = courier(reach_agent)
