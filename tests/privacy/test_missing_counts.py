"""Who has a table but not one of its columns: the column's count of missing, less the patterns, would say how many."""

from collections import Counter

import numpy as np
import pytest
import torch

from client.site import Limits
from client.table_one import number_column, suppressed, table_one
from shared.batch import Batch
from shared.study import Study
from tests.small import small_study

LIMITS = Limits(max_epsilon=1.0)


def test_a_number_of_missing_does_not_count_few_by_difference() -> None:
    values = np.arange(60.0)
    values[:12] = np.nan
    for lacks, told in ((12, 12), (10, None), (7, 12), (0, 12)):
        found = number_column(("blood", "crp"), values, LIMITS, lacks)
        assert found is not None
        assert found.missing == told


def test_a_hidden_place_is_never_alone() -> None:
    assert suppressed([20, 30, 12], 5) == [20, 30, 12]
    assert suppressed([20, 30, 12], 5, {2}) == [None, 30, None]
    assert suppressed([0, 30, 12], 5, {2}) == [0, None, None]


@pytest.mark.parametrize("few", [0, 2, 8])
def test_table_one_and_the_patterns_together(few: int, tmp_path) -> None:
    """Ten patients have no clinical table; ``few`` more have it without a sex, and as many without an age."""
    study: Study = small_study(tmp_path)
    rows, chance = np.zeros((80, 5), dtype=np.float32), np.random.default_rng(0)
    rows[:, 0] = chance.uniform(-1, 1, 80)
    rows[np.arange(80), 1 + chance.integers(0, 2, 80)] = 1
    rows[10 : 10 + few, 1:3] = 0
    rows[10 : 10 + few, 3:] = 1  # indicators of age and sex
    present = torch.arange(80) >= 10
    everybody = torch.ones(80, dtype=torch.bool)
    inputs = {"clinical": torch.from_numpy(rows), "blood": torch.zeros(80, 4)}
    batch = Batch(inputs, {"clinical": present, "blood": everybody}, torch.zeros(80, 1))
    numbers, categories, _ = table_one(study, batch, LIMITS)
    age = next(row for row in numbers if row.column == "age")
    sex = next(row for row in categories if row.column == "sex")
    told = 10 + few if few != 2 else None
    assert (age.missing, sex.missing) == (told, told)
    if told is None:
        assert Counter(sex.cells)[None] == 2
