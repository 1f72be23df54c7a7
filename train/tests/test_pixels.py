"""From frames to the tower's input; test_parity has the official numbers."""

import numpy as np
import pytest
import torch

from froster.batches import Augment
from froster.pixels import MEAN, STD, centre_crop, normalise, resize_and_crop, resized_shape


def test_normalise_by_hand():
    frames = torch.zeros(1, 1, 2, 3, dtype=torch.uint8)
    frames[0, 0, 1] = torch.tensor([255, 51, 0])
    got = normalise(frames)
    assert got.shape == (1, 3, 1, 2)
    want = [(v - m) / s for v, m, s in zip((1, 0.2, 0), MEAN, STD, strict=True)]
    assert got[0, :, 0, 1].tolist() == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize(("shape", "want"), [((240, 320), (224, 298)), ((320, 240), (298, 224)), ((50, 50), (224, 224))])
def test_the_long_side_is_floored(shape: tuple[int, int], want: tuple[int, int]):
    assert resized_shape(*shape, 224) == want


def test_an_odd_rest_leaves_more_above_and_left():
    assert centre_crop(torch.arange(5).expand(5, 5), 2)[0].tolist() == [2, 3]


def test_frames_of_the_right_size_stay_as_they_are():
    frames = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    assert torch.equal(resize_and_crop(frames, 32), frames)


def test_jitter_keeps_size_and_treats_frames_alike():
    frame = np.random.default_rng(0).integers(0, 256, (1, 60, 90, 3), dtype=np.uint8)
    augment = Augment(32, 1.5, 0.5)
    seen = [augment(frame.repeat(2, 0), np.random.default_rng(i)) for i in range(20)]
    assert all(x.shape == (2, 32, 32, 3) and x.dtype == torch.uint8 and torch.equal(x[0], x[1]) for x in seen)
    assert len({bytes(x.numpy()) for x in seen}) == 20


def test_mirroring():
    frames = np.arange(32, dtype=np.uint8)[None, None, :, None].repeat(32, 1).repeat(3, 3)
    assert Augment(32, flip=1.0)(frames, np.random.default_rng(0))[0, 0, 0, 0] == 31
    assert Augment(32, flip=0.0)(frames, np.random.default_rng(0))[0, 0, 0, 0] == 0
