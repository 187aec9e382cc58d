"""The training code against figures that others published: FLamby's Fed-Heart-Disease, federated averaging.

Its protocol starts from PyTorch's own random weights, and scales the pooled test set by the pooled training set; Medley
starts a linear score at zero, and no row leaves its hospital. So the start is put in here, and the pooled accuracy is
of the released model on the pooled rows. The accuracies of Cleveland and Hungary are the validation's own; those of
Switzerland (16 patients to test) and Long Beach (10 without disease) are held back by the hospitals' minimums in some
runs or all, and are of the released model on the rows.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from server import rounds
from server.record import load_records
from server.weights import initial_weights
from shared.metrics.cells import Cells
from shared.metrics.scores import ScoreTally
from shared.study import Study
from shared.study_file import load_study
from shared.wire import Arrays, SiteFigures
from simulations.arms import Consortium, Hooks, open_consortium, run_arms
from simulations.importers.flamby_heart import import_flamby_heart, protocol

SOURCE = Path(__file__).parents[3] / "shared" / "data" / "uci-heart"
POOLED, MEAN, CLOSE = 0.748, 0.685, 0.03  # published, FedAvg
SEEDS = range(42, 47)
READOUT, HEAD, BIAS = "encoders.clinical.readout.weight", "heads.clinical.weight", "heads.clinical.bias"

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the UCI heart data are not on this machine")


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flamby-heart")
    import_flamby_heart(SOURCE, folder / "data")
    return open_consortium(load_study("flamby-heart"), folder / "data", folder / "state")


def from_pytorchs_start(study: Study, folder: Path) -> Arrays:
    """The seeded start of torch.nn.Linear, as FLamby's; the generator's state is put back."""
    with torch.random.fork_rng():
        torch.manual_seed(study.seed)
        layer = torch.nn.Linear(13, 1)
    start = initial_weights(study, folder)
    return {**start, READOUT: layer.weight.detach().numpy(), BIAS: layer.bias.detach().numpy()}


def released(hospitals: Consortium, folder: Path, seed: int) -> tuple[Arrays, dict[str, SiteFigures]]:
    """The frozen model of a run and each hospital's figures of its own test patients."""
    from safetensors.numpy import load_file

    study = load_study("flamby-heart", [f"seed={seed}"])
    run_arms(study, Consortium(hospitals.archives, folder / "state"), folder, Hooks())
    (record,) = load_records(folder)
    (path,) = (folder / "models").glob("*.safetensors")
    assert record.failures == ()
    figures = {site: next(f for f in own if f.role == "internal") for site, own in record.figures.items()}
    return load_file(path), figures


def accuracy(weights: Arrays, inputs: np.ndarray, disease: np.ndarray) -> float:
    score = inputs @ weights[READOUT][0] * weights[HEAD][0, 0] + weights[BIAS][0]
    return float(np.mean((score >= 0) == disease))


def reported(figures: SiteFigures) -> float | None:
    """Accuracy at the frozen threshold from the cells that the hospital released."""
    if figures.event_cells is None or figures.other_cells is None:
        return None
    cells = (Cells(c.edges, tuple(map(float, c.counts))) for c in (figures.event_cells, figures.other_cells))
    events, others = ScoreTally(*cells).decisions()
    if events is None or others is None:
        return None
    return (events[0] + others[0]) / (sum(events) + sum(others))


def test_the_split_is_that_of_the_protocol() -> None:
    splits = {site: split for site, (_, _, split) in protocol(SOURCE).items()}
    sizes = {site: tuple(int((split == part).sum()) for part in ("train", "test")) for site, split in splits.items()}
    assert sizes == {"cleveland": (199, 104), "hungary": (172, 89), "switzerland": (30, 16), "long-beach": (85, 45)}
    study = load_study("flamby-heart")
    assert {site: entry.training for site, entry in study.sites.items()} == {s: n for s, (n, _) in sizes.items()}


def test_federated_averaging_reaches_the_published_accuracies(hospitals, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rounds, "initial_weights", from_pytorchs_start)
    rows = protocol(SOURCE)
    train = np.concatenate([inputs[split == "train"] for inputs, _, split in rows.values()])
    centre, spread = train.mean(axis=0), train.std(axis=0, ddof=1)
    tests = {site: (inputs[split == "test"], ill[split == "test"]) for site, (inputs, ill, split) in rows.items()}
    pooled, means = [], []
    for seed in SEEDS:
        weights, figures = released(hospitals, tmp_path / str(seed), seed)
        own = {site: reported(figures[site]) for site in rows}
        assert own["switzerland"] is None
        assert None not in (own["cleveland"], own["hungary"])
        for site, (inputs, _, split) in rows.items():
            part = inputs[split == "train"]
            width = part.std(axis=0, ddof=1)
            scaled = (tests[site][0] - part.mean(axis=0)) / np.where(width == 0, 1, width)
            found = accuracy(weights, scaled, tests[site][1])
            assert own[site] is None or own[site] == pytest.approx(found, abs=1e-9)
            own[site] = found
        everybody = (np.concatenate([inputs for inputs, _ in tests.values()]) - centre) / spread
        pooled.append(accuracy(weights, everybody, np.concatenate([ill for _, ill in tests.values()])))
        means.append(np.mean(list(own.values())))
    with capsys.disabled():
        print(f"\npooled test {np.mean(pooled):.3f} ({POOLED}), mean over clients {np.mean(means):.3f} ({MEAN})")
    assert np.mean(pooled) == pytest.approx(POOLED, abs=CLOSE)
    assert np.mean(means) == pytest.approx(MEAN, abs=CLOSE)
