"""Pictures and joints are cropped and mirrored together."""

import numpy as np
import torch

from demo.stage import JOINTS
from demo.views import Crop, draw_crop, look_at, move_joints

SIZE = 128


def dot_at(x: int, y: int) -> torch.Tensor:
    picture = torch.zeros(1, SIZE, SIZE, 3, dtype=torch.uint8)
    picture[0, y - 1 : y + 2, x - 1 : x + 2] = 255
    return picture


def test_a_joint_stays_on_its_pixel():
    joints = np.full((1, 2, len(JOINTS), 2), np.nan, np.float32)
    joints[0, 0, :] = 70.5, 40.5  # the middle of pixel (70, 40)
    for crop in (Crop(0, 0, 128, False), Crop(30, 10, 64, False), Crop(30, 10, 64, True), Crop(8.5, 3.25, 100.5, True)):
        seen = look_at(dot_at(70, 40), [crop], 112)[0, 0]
        y, x = divmod(int(seen.argmax()), 112)
        at = move_joints(joints[0], crop)[0, 0] * 112
        assert abs(at[0] - x - 0.5) < 2 and abs(at[1] - y - 0.5) < 2, crop
        assert seen.max() > 200


def test_left_becomes_right_in_a_mirror():
    joints = np.arange(len(JOINTS) * 2, dtype=np.float32).reshape(1, -1, 2)
    plain, mirrored = (move_joints(joints, Crop(0, 0, SIZE, m)) for m in (False, True))
    left, right = JOINTS.index("left_hand"), JOINTS.index("right_hand")
    np.testing.assert_allclose(mirrored[0, left, 0], 1 - plain[0, right, 0])
    np.testing.assert_allclose(mirrored[0, left, 1], plain[0, right, 1])


def test_crops_lie_within_the_picture_and_mostly_hold_the_people():
    rng, held = np.random.default_rng(0), 0
    joints = np.array([[40, 30], [60, 100], [50, 60]], np.float32)
    for _ in range(200):
        c = draw_crop(rng, joints, SIZE)
        assert c.left >= 0 and c.top >= 0 and max(c.left, c.top) + c.side <= SIZE + 1e-3
        held += bool(c.left <= 40 and c.left + c.side >= 60 and c.top <= 30 and c.top + c.side >= 100)
    assert held > 140


def test_nobody_in_the_picture():
    c = draw_crop(np.random.default_rng(1), np.full((8, 2, 19, 2), np.nan), SIZE)
    assert c.side >= 0.82 * SIZE
