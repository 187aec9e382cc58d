"""A full client: every message starts a process that imports what training needs, reads the data, and works."""

import numpy as np
import opacus  # noqa: F401 - a private study's client needs it
import pandas as pd
import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()
PATIENTS, COLUMNS = 40, 8


@app.train()
def train(message: Message, context: Context) -> Message:
    """Two steps of a linear model."""
    model, x, y = _loaded(message)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(x)[:, 0], y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    metrics = MetricRecord({"num-examples": PATIENTS})
    return Message(RecordDict({"arrays": ArrayRecord(model.state_dict()), "metrics": metrics}), reply_to=message)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """The loss."""
    model, x, y = _loaded(message)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x)[:, 0], y).item()
    return Message(RecordDict({"metrics": MetricRecord({"loss": loss, "num-examples": PATIENTS})}), reply_to=message)


def _loaded(message: Message) -> tuple[torch.nn.Linear, torch.Tensor, torch.Tensor]:
    chance = np.random.default_rng(message.metadata.dst_node_id % 1000)
    table = pd.DataFrame(chance.normal(size=(PATIENTS, COLUMNS)))
    model = torch.nn.Linear(COLUMNS, 1)
    model.load_state_dict(message.content.array_records["arrays"].to_torch_state_dict())
    x = torch.tensor(table.to_numpy(), dtype=torch.float32)
    return model, x, (x[:, 0] > 0).float()
