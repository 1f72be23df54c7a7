"""Standing, sitting, waving, hands up and nobody: smooth, above the ground, alike at any frame rate, and what they are called."""

import numpy as np
import pytest

from demo.motions import staying
from demo.motions.parts import Play
from demo.skeleton import INDEX, solve

ACTIONS = {"stand": staying.stand, "sit": staying.sit, "wave": staying.wave, "armsup": staying.hands_up}
HANDS = [INDEX["left_hand"], INDEX["right_hand"]]


def played(action: str, seed: int, fps: int) -> tuple[Play, np.ndarray]:
    times = np.linspace(0, 4.2, round(4.2 * fps) + 1)
    play = ACTIONS[action](np.random.default_rng(seed), times)
    return play, solve(*play.people[0])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("seed", range(8))
def test_smooth_above_ground_and_named(action: str, seed: int) -> None:
    play, joints = played(action, seed, 240)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 240
    assert speed.max() < 7  # metres a second
    assert joints[..., 1].min() > 0
    assert len(play.shows) == len(joints)
    assert set(play.shows) == {action}
    balls = joints[:, [INDEX["left_toe"], INDEX["right_toe"]]]
    assert np.ptp(balls, axis=0).max() < 0.02  # feet stay


@pytest.mark.parametrize("action", ACTIONS)
def test_frame_rate_does_not_matter(action: str) -> None:
    fine, coarse = (played(action, 3, fps)[1] for fps in (60, 10))
    np.testing.assert_allclose(fine[::6], coarse, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_hands(seed: int) -> None:
    """Up: both above the head. Waving: one above the shoulder that swings wide, one low. Standing: both low."""
    _, up = played("armsup", seed, 20)
    assert (up[:, HANDS, 1] > up[:, [INDEX["crown"]], 1]).all()
    _, waving = played("wave", seed, 20)
    heights = waving[:, HANDS, 1] - waving[:, [INDEX["left_shoulder"], INDEX["right_shoulder"]], 1]
    side = heights.mean(0).argmax()
    assert heights[:, side].min() > 0
    assert heights[:, 1 - side].max() < -0.1
    assert np.linalg.norm(np.ptp(waving[:, HANDS[side]], axis=0)) > 0.3
    _, standing = played("stand", seed, 20)
    assert (standing[:, HANDS, 1] < standing[:, [INDEX["neck"]], 1] - 0.1).all()


@pytest.mark.parametrize("seed", range(12))
def test_sits_on_the_seat_facing_as_it_does(seed: int) -> None:
    play, joints = played("sit", seed, 10)
    seat = play.things[0]
    inside = (joints[:, INDEX["pelvis"]] - seat.pose[:, :3, 3]) @ seat.pose[0, :3, :3]
    tall = {"chair": 0.53, "stool": 1.0, "sofa": 0.495}[seat.kind] * seat.size[1]  # the seat's top
    assert (np.abs(inside[:, 1] - tall - 0.1) < 0.05).all()  # the pelvis is a hand's breadth above it
    assert np.abs(inside[:, [0, 2]]).max() < 0.25
    knees = joints[:, [INDEX["left_knee"], INDEX["right_knee"]]].mean(1) - joints[:, INDEX["pelvis"]]
    assert (knees @ seat.pose[0, :3, 0] > 0.25).all()


def test_nobody_is_there() -> None:
    times, kinds = np.arange(0, 4, 0.5), set()
    for seed in range(20):
        play = staying.empty(np.random.default_rng(seed), times)
        assert not play.people
        assert set(play.shows) == {"empty"}
        assert len(play.things) <= 2
        kinds |= {thing.kind for thing in play.things}
    assert len(kinds) > 4


@pytest.mark.parametrize("seed", range(8))
def test_sits_down(seed: int) -> None:
    times = np.linspace(0, 4.2, 1009)
    play = staying.sit_down(np.random.default_rng(seed), times)
    joints = solve(*play.people[0])
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() * 240 < 7  # metres a second
    assert joints[..., 1].min() > 0
    assert list(dict.fromkeys(play.shows)) == ["stand", "halfsit", "sit"]
    pelvis = joints[:, INDEX["pelvis"], 1]
    assert pelvis[0] - pelvis[-1] > 0.25
