"""A study small enough for tests: three hospitals of forty invented patients, two tables, few rounds."""

import csv
import json
from pathlib import Path

import numpy as np
import torch

from client.agent.agent import Agent
from client.approvals import implied
from client.archive import Archive
from client.site import Site, load_site
from server.weights import initial_weights
from shared.batch import Batch
from shared.model import MultimodalModel
from shared.privacy.records import RunKey
from shared.study import Study
from shared.study_file import load_study
from shared.tensors import weights_digest
from shared.wire import Arrays, Describe, Envelope, Evaluate, TallyThreshold, Train

SITES = ("north", "west", "south")
PATIENTS = 40
STUDY = """
name = "small"
title = "Two tables, three hospitals"
seed = 3

[outcome]
kind = "binary"
column = "ill"
positive = ["yes"]
negative = ["no"]
predicted_at = "admission"

[modalities.clinical]
kind = "tabular"
numeric.age = { range = [0, 100], unit = "years" }
categorical.sex = { values = ["f", "m"] }

[modalities.blood]
kind = "tabular"
numeric.crp = { range = [0, 200], unit = "mg/l" }
numeric.hb = { range = [0, 20], unit = "g/dl" }

[sites]
north = { patients = 40 }
west = { patients = 40 }
south = { patients = 40 }

[cohorts]
scheme = "site-holdout"
train = ["north", "west"]
internal = 0.25
external = ["south"]

[training]
rounds = 2
steps = 2

[privacy]
mechanism = "dp-sgd"
epsilon = 8.0
delta = 1e-4
stages = { encoders = 0.45, fusion = 0.45, threshold = 0.1 }

[evaluation]
threshold = { rule = "youden", from = "train" }
primary = "clinical+blood"
"""
SITE = """
name = "{name}"
[limits]
max_epsilon = {max_epsilon}
allow_without_privacy = {open}
"""


def first_weights(study: Study) -> Arrays:
    """The seeded start; torch is here already, so that no process and no folder is needed."""
    return initial_weights(study, Path())


def small_study(folder: Path, *overrides: str) -> Study:
    """The study, with overrides."""
    path = folder / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return load_study(path, overrides)


def hospital(
    folder: Path, name: str = "north", max_epsilon: float = 10.0, open_to_all: bool = False, patients: int = PATIENTS
) -> Site:
    """A hospital's folder with its table and its site file; half of the patients are ill."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(SITES.index(name))
    with (place / "patients.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["patient_id", "ill", "age", "sex", "crp", "hb"])
        for number in range(patients):
            ill = number % 2
            numbers = (50 + 15 * ill + 15 * chance.normal(), 60 + 40 * ill + 30 * chance.normal(), 10 + chance.normal())
            age, crp, hb = (f"{value:.1f}" for value in numbers)
            sex = "fm"[int(chance.integers(2))]
            table.writerow(
                [f"{name}-{number}", ("no", "yes")[ill], age, sex, *(("", "") if number % 7 == 3 else (crp, hb))]
            )
    text = SITE.format(name=name, max_epsilon=max_epsilon, open=str(open_to_all).lower())
    (place / "site.toml").write_text(text, encoding="utf-8")
    return load_site(place / "site.toml")


def agent_of(site: Site) -> Agent:
    """A new agent on a hospital's folder, as after a restart."""
    return Agent(Archive(site), site, implied)


def outbox(site: Site) -> list[Path]:
    """Files of kept releases."""
    return sorted((site.state / "outbox").iterdir())


def ledger(site: Site) -> list[dict[str, object]]:
    """Lines of the ledger, as they are on the disk."""
    path = site.state / "ledger.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def egress(site: Site) -> list[dict[str, object]]:
    """Lines of the egress log, as they are on the disk."""
    path = site.state / "egress.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_of(study: Study, arm: str = "federated") -> RunKey:
    """The study's only fold."""
    return RunKey(study=study.digest, fold="main", arm=arm)


def ask_counts(study: Study) -> Envelope:
    """A Describe task."""
    return Envelope(Describe(study=study.text, run=run_of(study)))


def ask_round(study: Study, number: int = 1, stage: str = "encoders", weights: Arrays | None = None) -> Envelope:
    """A Train task, from the study's start if no weights are given."""
    header = Train(study=study.text, run=run_of(study), stage=stage, round=number)  # type: ignore[arg-type]
    return Envelope(header, first_weights(study) if weights is None else weights)


def ask_tallies(study: Study) -> Envelope:
    """A TallyThreshold task."""
    return Envelope(TallyThreshold(study=study.text, run=run_of(study)), first_weights(study))


def ask_figures(study: Study, weights: Arrays | None = None) -> Envelope:
    """An Evaluate task with a threshold of zero for every model."""
    arrays = first_weights(study) if weights is None else weights
    thresholds = dict.fromkeys(study.models, 0.0)
    header = Evaluate(study=study.text, run=run_of(study), models=weights_digest(arrays), thresholds=thresholds)
    return Envelope(header, arrays)


def moved_model(study: Study, seed: int = 1, spread: float = 0.3) -> MultimodalModel:
    """The study's model moved off its start, so that no gradient is zero by design."""
    model, generator = MultimodalModel(study), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(spread * torch.randn(value.shape, generator=generator))
    return model


def random_batch(study: Study, patients: int, seed: int = 2) -> Batch:
    """Patients as random prepared tensors, some without a modality, bags with absent pictures; each has something."""
    generator = torch.Generator().manual_seed(seed)
    model, inputs, present = MultimodalModel(study), {}, {}
    for place, (name, spec) in enumerate(study.modalities.items()):
        shape = model.encoders[name].prepare(torch.rand(spec.shape, generator=generator)).shape  # type: ignore[operator]
        values = torch.randn(patients, *shape, generator=generator)
        if spec.kind == "bag":
            values[:, 2:] = 0
        inputs[name] = values
        present[name] = torch.tensor([place == 0 or (number + place) % 3 != 0 for number in range(patients)])
    truth = torch.tensor([study.outcome.example(number) for number in range(patients)], dtype=torch.float32)
    return Batch(inputs, present, truth)
