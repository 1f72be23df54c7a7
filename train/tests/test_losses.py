"""The losses against numbers worked out by hand, and in plain numpy that shares nothing with them."""

import math

import numpy as np
import pytest
import torch

from froster.losses import distillation, soft_cross_entropy, soft_targets


def test_soft_targets_of_hard_labels():
    want = [[0, 0, 1], [1, 0, 0]]
    assert soft_targets(torch.tensor([2, 0]), 3).tolist() == want


def test_smoothing_is_spread_over_all_classes():
    """0.3 over three classes: 0.1 for each, and 0.7 more for the right one."""
    got = soft_targets(torch.tensor([1]), 3, 0.3)[0].tolist()
    assert got == pytest.approx([0.1, 0.8, 0.1])


def test_cross_entropy_by_hand():
    """Scores ln 1, ln 2, ln 5 are probabilities 1/8, 2/8, 5/8."""
    logits = torch.tensor([[0.0, math.log(2), math.log(5)]]).repeat(2, 1)
    got = soft_cross_entropy(logits, torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]))
    want = (math.log(8 / 2) + 0.5 * math.log(8) + 0.5 * math.log(8 / 5)) / 2
    assert got.item() == pytest.approx(want, abs=1e-6)


def test_cross_entropy_of_large_scores():
    """CLIP's scale is 100: exp would overflow on the way."""
    got = soft_cross_entropy(torch.tensor([[1000.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    assert got.item() == pytest.approx(1000)


def test_cross_entropy_against_numpy():
    rng = np.random.default_rng(1)
    logits, targets = rng.normal(0, 20, (5, 7)), rng.dirichlet(np.ones(7), 5)
    shifted = logits - logits.max(1, keepdims=True)
    want = np.mean([np.log(np.exp(s).sum()) - s @ t for s, t in zip(shifted, targets, strict=True)])
    got = soft_cross_entropy(torch.tensor(logits), torch.tensor(targets))
    assert got.item() == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize(("student", "teacher", "want"), [
    ([3.0, 0.0], [1.0, 0.0], 0.0),  # length does not matter
    ([0.0, 2.0], [1.0, 0.0], 1.0),
    ([-1.0, 0.0], [1.0, 0.0], 2.0),
    ([1.0, 1.0], [0.0, 5.0], 1 - math.sqrt(0.5)),
])
def test_distillation_by_hand(student: list[float], teacher: list[float], want: float):
    assert distillation(torch.tensor([student]), torch.tensor([teacher])).item() == pytest.approx(want, abs=1e-6)


def test_distillation_is_the_mean_over_clips_and_frames():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3, 4, 16))
    cosines = [x @ y / math.sqrt((x @ x) * (y @ y)) for x, y in zip(a.reshape(-1, 16), b.reshape(-1, 16), strict=True)]
    got = distillation(torch.tensor(a), torch.tensor(b)).item()
    assert got == pytest.approx(1 - sum(cosines) / 12, abs=1e-9)


def test_distillation_never_pulls_the_teacher():
    student, teacher = torch.randn(2, 8, requires_grad=True), torch.randn(2, 8, requires_grad=True)
    distillation(student, teacher).backward()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None
