"""Falling, lying, crouching and picking up: smooth, above the ground, alike at any frame rate, and what they are called."""

import numpy as np
import pytest

from demo.motions import falling
from demo.motions.parts import Play
from demo.skeleton import INDEX, solve

ACTIONS = {"fall": falling.fall, "lie": falling.lie, "crouch": falling.crouch, "pick_up": falling.pick_up}
KEYS = {"fall": {"stand", "walk", "tilt", "lie"}, "lie": {"lie"}, "crouch": {"crouch"},
        "pick_up": {"stand", "bend", "carry", "withbag", "ball"}}  # fmt: skip
SPAN = 4.2  # seconds


def played(action: str, seed: int, fps: int, at: float | None = None) -> tuple[Play, np.ndarray]:
    times = np.linspace(0, SPAN, round(SPAN * fps) + 1)
    play = ACTIONS[action](np.random.default_rng(seed), times, at=at)
    return play, solve(*play.people[0])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("seed", range(12))
def test_smooth_above_ground_and_named(action: str, seed: int) -> None:
    play, joints = played(action, seed, 240)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 240
    assert speed.max() < 12  # metres a second
    assert joints[..., 1].min() > 0
    assert len(play.shows) == len(joints)
    assert set(play.shows) <= KEYS[action]


@pytest.mark.parametrize("action", ACTIONS)
def test_frame_rate_does_not_matter(action: str) -> None:
    for seed in range(4):
        (fine_play, fine), (coarse_play, coarse) = (played(action, seed, fps) for fps in (60, 10))
        np.testing.assert_allclose(fine[::6], coarse, atol=1e-9)
        assert (fine_play.shows[::6] == coarse_play.shows).all()
        for a, b in zip(fine_play.things, coarse_play.things, strict=True):
            np.testing.assert_allclose(a.pose[::6], b.pose, atol=1e-6)


@pytest.mark.parametrize("seed", range(16))
def test_fall_ends_lying(seed: int) -> None:
    _, joints = played("fall", seed, 30, at=1.5)
    heads = joints[:, INDEX["head"], 1]
    assert heads[: 45].min() > 1.2  # metres: upright until it begins
    lying = joints[30 * 3 :]
    assert lying[..., 1].max() < 0.75  # a raised knee at the most
    assert lying[:, [INDEX["head"], INDEX["pelvis"], INDEX["neck"]], 1].max() < 0.35


@pytest.mark.parametrize("seed", range(16))
def test_low_things_are_low(seed: int) -> None:
    _, lying = played("lie", seed, 10)
    assert lying[:, [INDEX["head"], INDEX["pelvis"], INDEX["neck"]], 1].max() < 0.35
    _, joints = played("crouch", seed, 10)
    assert joints[:, INDEX["pelvis"], 1].max() < 0.65
    assert joints[:, INDEX["head"], 1].min() > joints[:, INDEX["pelvis"], 1].max() + 0.2


@pytest.mark.parametrize("seed", range(16))
def test_feet_do_not_slide(seed: int) -> None:
    for action in ("crouch", "pick_up"):
        _, joints = played(action, seed, 30)
        balls = joints[:, [INDEX["left_toe"], INDEX["right_toe"]]]
        assert np.linalg.norm(np.ptp(balls, axis=0), axis=-1).max() < 0.03


@pytest.mark.parametrize("seed", range(16))
def test_what_is_picked_up_stays_in_the_hands(seed: int) -> None:
    play, joints = played("pick_up", seed, 30, at=0.5)
    goods = play.things[0]
    hands = joints[:, [INDEX["left_hand"], INDEX["right_hand"]]]
    place = (goods.pose[..., :3, 3] - (0, goods.size[1], 0)) if goods.kind == "bag" else goods.pose[..., :3, 3]
    assert abs(place[0, 1]) < 1e-6
    assert place[-1, 1] > 0.25
    lifted = place[:, 1] > 0.01
    grip = (0, 0.05, 0) if goods.kind == "bag" else (0, goods.size[1] / 2, 0)
    reach = np.linalg.norm(hands - (goods.pose[:, None, :3, 3] + grip), axis=-1)[lifted]
    near = reach.min(1) if goods.kind == "bag" else reach.max(1)
    assert near.max() < (0.02 if goods.kind == "bag" else goods.size[2] / 2 + 0.05)
