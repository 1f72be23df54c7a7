"""A clip backwards has the same embedding, and the opposite direction."""

import numpy as np
import torch

from demo.direction import direction, turned
from froster.model import Dims, Froster

DIMS = Dims(image_size=32, patch_size=16, vision_width=64, vision_layers=2, text_width=64, text_layers=1, embed_dim=16)


def test_a_clip_backwards_has_its_frames_turned():
    torch.manual_seed(0)
    model, clip = Froster(DIMS).eval(), torch.randn(1, 8, 3, 32, 32)
    with torch.inference_mode():
        ahead, back = (model.frame_embeddings(x).numpy() for x in (clip, clip.flip(1)))
    np.testing.assert_allclose(turned(ahead, True), back, atol=1e-5)
    assert not np.allclose(ahead, back, atol=1e-3)
    begins, ends = np.eye(16, dtype=np.float32)[:2]
    assert abs(direction(ahead, begins, ends)) > 1e-3
    np.testing.assert_allclose(direction(turned(ahead, True), begins, ends), -direction(ahead, begins, ends))


def test_direction_is_what_changes_between_the_ends():
    frames = np.zeros((1, 8, 2), np.float32)
    frames[0, :3, 0] = frames[0, -3:, 1] = 0.5  # half way to the one text, then half way to the other
    assert direction(frames, np.array([1.0, 0.0]), np.array([0.0, 1.0]))[0] == 1.0
