"""The committed checkpoint: small, and the same model."""

import torch

from demo.publish import coarse


def test_coarse_keeps_six_bits():
    torch.manual_seed(0)
    x = torch.randn(1000)
    rounded = coarse(x, 6)
    assert ((rounded - x).abs() <= x.abs() / 64).all()
    assert len(set(torch.frexp(rounded.abs())[0].tolist())) <= 33
    assert torch.equal(coarse(rounded, 6), rounded)
    assert torch.equal(rounded.half().float(), rounded)  # float16 loses nothing more
