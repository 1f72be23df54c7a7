"""The residual projector."""

import math

import numpy as np
import torch

from froster.projector import ALPHA, Projector


def test_starts_as_the_identity():
    x = torch.nn.functional.normalize(torch.randn(5, 32), dim=-1)
    assert torch.equal(Projector(32)(x), x)


def test_residual_against_numpy():
    """f + 0.1 W2 gelu(W1 f) with the exact GELU, x times the share of a normal distribution below x."""
    p = Projector(4)
    torch.nn.init.normal_(p[2].weight, generator=torch.Generator().manual_seed(1))
    f = np.random.default_rng(0).normal(size=4).astype(np.float32)
    w1, w2 = (p[i].weight.detach().numpy() for i in (0, 2))
    hidden = np.array([h * 0.5 * (1 + math.erf(h / math.sqrt(2))) for h in w1 @ f])
    got = p(torch.from_numpy(f)).detach().numpy()
    assert np.abs(got - (f + 0.1 * w2 @ hidden)).max() < 1e-6
    assert ALPHA == 0.1


def test_first_layer_is_kaiming():
    """Standard deviation sqrt(2 / inputs)."""
    w = Projector(512, torch.Generator().manual_seed(0))[0].weight
    assert abs(w.std().item() * math.sqrt(512 / 2) - 1) < 0.01
    assert abs(w.mean().item()) < 1e-3


def test_names_are_those_of_frosters_checkpoints():
    assert list(Projector(8).state_dict()) == ["0.weight", "2.weight"]


def test_the_second_layer_moves_first():
    """While W2 is zero no gradient passes it, so the first step moves W2 alone."""
    p = Projector(8)
    p(torch.randn(3, 8)).sum().backward()
    assert p[0].weight.grad.abs().sum() == 0
    assert p[2].weight.grad.abs().sum() > 0
