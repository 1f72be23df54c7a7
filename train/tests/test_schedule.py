"""The learning rate at chosen steps."""

import math
from itertools import pairwise

import pytest

from froster.config import TrainConfig
from froster.schedule import learning_rate
from froster.train import rate_at


def rate(epoch: float, epochs: float = 22, warmup: float = 2) -> float:
    return learning_rate(epoch, peak=3.33e-6, start=3.33e-8, end=3.33e-8, warmup=warmup, epochs=epochs)


@pytest.mark.parametrize(("epoch", "want"), [
    (0, 3.33e-8),
    (1, (3.33e-8 + 3.33e-6) / 2),  # half way up
    (2, 3.33e-6),
    (12, (3.33e-8 + 3.33e-6) / 2),  # half way down
    (7, 3.33e-8 + (3.33e-6 - 3.33e-8) * (1 + math.sqrt(0.5)) / 2),
    (22, 3.33e-8),
])
def test_official_schedule(epoch: float, want: float):
    assert rate(epoch) == pytest.approx(want, rel=1e-9)
    assert rate_at(TrainConfig(), epoch) == pytest.approx(want, rel=1e-9)


def test_a_step_is_a_part_of_its_epoch():
    """Step 25 of 100 in the first epoch: an eighth of the warm-up."""
    assert rate(25 / 100) == pytest.approx(3.33e-8 + (3.33e-6 - 3.33e-8) / 8)


def test_rises_then_falls_without_a_jump():
    rates = [rate(i / 50) for i in range(22 * 50)]
    top = rates.index(max(rates))
    assert top == 100
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(rates)) < 3.4e-8


def test_without_warm_up():
    assert rate(0, warmup=0) == 3.33e-6


def test_all_warm_up():
    assert rate(1.5, epochs=2, warmup=2) < 3.33e-6
    assert rate(2, epochs=2, warmup=2) == 3.33e-6
