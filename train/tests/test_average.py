"""The mean of weights."""

import pytest
import torch

from froster.average import WeightAverage


def test_mean_by_hand():
    average = WeightAverage()
    for values in ([1.0, 10.0], [2.0, 20.0], [6.0, 0.0]):
        average.add({"w": torch.tensor(values)})
    assert average.mean()["w"].tolist() == [3.0, 10.0]


def test_keeps_its_own_copy():
    """Training goes on in the tensors that were added."""
    average, weights = WeightAverage(), torch.ones(2)
    average.add({"w": weights})
    weights.zero_()
    assert average.mean()["w"].tolist() == [1.0, 1.0]
    average.mean()["w"].zero_()
    assert average.mean()["w"].tolist() == [1.0, 1.0]


def test_sums_half_precision_in_float32():
    average = WeightAverage()
    for _ in range(3):
        average.add({"w": torch.tensor([40000.0], dtype=torch.float16)})
    assert average.mean()["w"].dtype == torch.float32
    assert average.mean()["w"].item() == 40000


def test_other_names_are_an_error():
    average = WeightAverage()
    average.add({"a": torch.ones(1)})
    with pytest.raises(ValueError, match="the names differ"):
        average.add({"b": torch.ones(1)})


def test_the_mean_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no epoch"):
        WeightAverage().mean()
