"""Carrying: hands stay on what they hold, things stand on the ground, and the bag stays where it was put."""

import numpy as np
import pytest

from demo.motions import carrying
from demo.motions.parts import Play
from demo.skeleton import INDEX, solve
from demo.stage import THINGS

MOTIONS = {"box": carrying.carry_box, "bag": carrying.leave_bag, "suitcase": carrying.pull_suitcase, "cart": carrying.push_cart,
           "sweep": carrying.sweep}  # fmt: skip
SHOWS = {"box": {"carry"}, "bag": {"withbag", "bend", "leftbag"}, "suitcase": {"suitcase"}, "cart": {"cart"}, "sweep": {"sweep"}}
SEEDS = range(5)
CLIP = np.arange(0, 4.27, 1 / 20)


def played(name: str, seed: int, t: np.ndarray, at: float | None = None) -> tuple[Play, np.ndarray]:
    play = MOTIONS[name](np.random.default_rng(seed), t, at=at)
    return play, solve(*play.people[0])


def own(play: Play, world: np.ndarray) -> np.ndarray:
    """Points (F, 3) of the world in the frame of the play's thing."""
    pose = play.things[0].pose
    return np.einsum("fji,fj->fi", pose[:, :3, :3], world - pose[:, :3, 3])


def lowest(play: Play, bottom: float) -> np.ndarray:
    """(F,) height of the lowest corner of the underside of the thing, whose own y is bottom."""
    x, _, z = play.things[0].size
    corners = np.array([[i * x / 2, bottom, k * z / 2] for i in (-1, 1) for k in (-1, 1)])
    pose = play.things[0].pose
    return (np.einsum("fj,cj->fc", pose[:, 1, :3], corners) + pose[:, 1, 3, None]).min(1)


def hands(joints: np.ndarray) -> np.ndarray:
    return joints[:, [INDEX["left_hand"], INDEX["right_hand"]]]


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_frame_rate_does_not_matter(name: str, seed: int) -> None:
    fine, coarse = (played(name, seed, np.arange(0, 4, 1 / fps)) for fps in (60, 10))
    np.testing.assert_allclose(fine[1][::6], coarse[1], atol=1e-9)
    np.testing.assert_allclose(fine[0].things[0].pose[::6], coarse[0].things[0].pose, atol=1e-5)
    assert list(fine[0].shows[::6]) == list(coarse[0].shows)
    assert set(fine[0].shows) == SHOWS[name]


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_jumps_or_sinks(name: str, seed: int) -> None:
    play, joints = played(name, seed, np.arange(0, 4.27, 1 / 240))
    assert joints[..., 1].min() > 0
    assert (np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 240).max() < 14
    assert (np.linalg.norm(np.diff(play.things[0].pose[:, :3, 3], axis=0), axis=-1) * 240).max() < 8


@pytest.mark.parametrize("name", MOTIONS)
def test_a_long_take_stays_near(name: str) -> None:
    _, joints = played(name, 3, np.arange(0, 30, 0.25))
    assert np.abs(joints[:, 0, [0, 2]]).max() < 6


@pytest.mark.parametrize("seed", SEEDS)
def test_box_is_held_by_both_hands_before_the_chest(seed: int) -> None:
    play, joints = played("box", seed, CLIP)
    x, y, z = play.things[0].size
    for side in (0, 1):
        at = own(play, hands(joints)[:, side])
        outside = np.abs(at - [0, y / 2, 0]) - np.array([x, y, z]) / 2
        assert np.linalg.norm(np.maximum(outside, 0), axis=-1).max() < 0.04
    assert (play.things[0].pose[:, 1, 3] > joints[:, 0, 1] - 0.05).all()
    assert (own(play, joints[:, 0])[:, 0] < -x / 2 - 0.1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_cart_is_pushed_by_its_bar(seed: int) -> None:
    play, joints = played("cart", seed, CLIP)
    x, y, z = play.things[0].size
    for side in (0, 1):
        at = own(play, hands(joints)[:, side])
        assert np.linalg.norm(at[:, :2] - [-x / 2, y], axis=-1).max() < 0.04
        assert np.abs(at[:, 2]).max() < z / 2
    np.testing.assert_allclose(play.things[0].pose[:, 1, 3], 0, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_suitcase_rolls_tilted_behind(seed: int) -> None:
    play, joints = played("suitcase", seed, CLIP)
    handle = np.array([0, carrying.BAR * play.things[0].size[1], 0])
    off = np.linalg.norm([own(play, hands(joints)[:, side]) - handle for side in (0, 1)], axis=-1)
    assert off.max(1).min() < 0.01
    np.testing.assert_allclose(lowest(play, 0.0), 0, atol=1e-3)
    tilt = np.degrees(np.arccos(play.things[0].pose[:, 1, 1]))
    assert tilt.min() > 30
    assert tilt.max() < 70
    ahead = joints[:, 0] - play.things[0].pose[:, :3, 3]
    assert (np.einsum("fi,fi->f", ahead[:-1], np.diff(joints[:, 0], axis=0)) > 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_bag_is_put_down_and_left(seed: int) -> None:
    at, t = 2.0, CLIP
    play, joints = played("bag", seed, t, at)
    pose, tall = play.things[0].pose, play.things[0].size[1]
    off = np.linalg.norm(hands(joints) - (pose[:, None, :3, 3] + [0, carrying.GRIP, 0]), axis=-1).min(1)
    assert off[t <= at].max() < 0.02
    assert np.ptp(pose[t >= at], axis=0).max() == 0
    np.testing.assert_allclose(lowest(play, -tall)[t >= at], 0, atol=1e-4)
    assert lowest(play, -tall).min() > -0.001
    assert lowest(play, -tall)[0] > 0.08
    assert off[-1] > 1.0
    assert joints[np.argmin(np.abs(t - at)), INDEX["neck"], 1] < 0.72 * play.people[0][0].height


@pytest.mark.parametrize("seed", SEEDS)
def test_broom_stays_on_the_floor_and_in_both_hands(seed: int) -> None:
    play, joints = played("sweep", seed, CLIP)
    for side in (0, 1):
        assert np.linalg.norm(own(play, hands(joints)[:, side])[:, [0, 2]], axis=-1).max() < 0.04
    bottom = lowest(play, -carrying.BROOM_HEAD * play.things[0].size[1] - 0.06)
    assert bottom.min() > -0.002
    assert bottom.max() < 0.06
    head = np.array([0, -carrying.BROOM_HEAD * THINGS["broom"][1], 0])
    moved = play.things[0].pose[:, :3, :3] @ head + play.things[0].pose[:, :3, 3] - joints[:, 0]
    assert np.ptp(moved[:, [0, 2]], axis=0).max() > 0.3
