"""A bicycle is ridden, a ball kicked and thrown: limbs are where the thing is, and the ball flies when it should."""

import numpy as np
import pytest

from demo.motions import riding
from demo.motions.parts import Play
from demo.skeleton import INDEX, solve

MOTIONS = {"ride": riding.ride_bicycle, "kick": riding.kick_ball, "throw": riding.throw_ball}
KNOWN = {"cycle", "ball", "kick", "throw", "stand"}


def played(name: str, seed: int, t: np.ndarray, at: float | None = None) -> tuple[np.ndarray, Play]:
    play = MOTIONS[name](np.random.default_rng(seed), t, at=at)
    return solve(*play.people[0]), play


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", range(5))
def test_smooth_near_and_above_ground(name: str, seed: int) -> None:
    t = np.arange(0, 4.27, 1 / 240)
    joints, play = played(name, seed, t)
    assert len(play.shows) == len(t)
    assert set(play.shows) <= KNOWN
    assert joints[..., 1].min() > 0
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() * 240 < 14
    assert np.abs(joints[..., (0, 2)]).max() < 3.2
    path = play.things[0].pose[:, :3, 3]
    assert path[:, 1].min() > -1e-3
    assert np.linalg.norm(np.diff(path, axis=0), axis=-1).max() < 0.12  # a ball does not leap when it leaves hand or foot


@pytest.mark.parametrize("name", MOTIONS)
def test_frame_rate_does_not_matter(name: str) -> None:
    fine, coarse = (played(name, 3, np.linspace(0, 4, 4 * fps + 1)) for fps in (60, 10))
    np.testing.assert_allclose(fine[0][::6], coarse[0], atol=1e-9)
    np.testing.assert_allclose(fine[1].things[0].pose[::6], coarse[1].things[0].pose, atol=1e-5)
    assert (fine[1].shows[::6] == coarse[1].shows).all()


@pytest.mark.parametrize("seed", range(6))
def test_rider_sits_and_holds_the_bar(seed: int) -> None:
    t = np.arange(0, 4.27, 1 / 60)
    joints, play = played("ride", seed, t)
    bicycle = play.things[0]
    to = np.linalg.inv(bicycle.pose.astype(float))
    own = np.einsum("fij,fkj->fki", to[:, :3, :3], joints) + to[:, None, :3, 3]  # joints seen from the bicycle
    long, high, wide = bicycle.size
    bar = np.array([0.22 * long, 0.97 * high])
    for side, sign in (("left", -1), ("right", 1)):
        hand = own[:, INDEX[f"{side}_hand"]]
        assert np.linalg.norm(hand[:, :2] - bar, axis=-1).max() < 0.08
        assert (sign * hand[:, 2] > 0.3 * wide).all()
        pedal = own[:, INDEX[f"{side}_toe"], :2] - np.array([-0.03 * long, 0.295 * high])
        assert np.abs(np.linalg.norm(pedal, axis=-1) - 0.17).max() < 0.05  # round the crank's axle
        assert np.ptp(pedal, axis=0).min() > 0.3
    assert np.abs(own[:, INDEX["pelvis"], 2]).max() < 0.03
    speed = np.linalg.norm(np.diff(bicycle.pose[:, :3, 3], axis=0), axis=-1) * 60
    assert 1.0 < speed.min() < speed.max() < 2.6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("at", [2.0, None])
def test_ball_is_kicked_where_the_foot_meets_it(seed: int, at: float | None) -> None:
    t = np.arange(0, 4.27, 1 / 120)
    joints, play = played("kick", seed, t, at)
    ball = play.things[0].pose[:, :3, 3] + [0, play.things[0].size[1] / 2, 0]
    start = np.flatnonzero(np.linalg.norm(np.diff(ball, axis=0), axis=-1) * 120 > 4.0)[0]
    if at is not None:
        assert abs(t[start] - at) < 0.03
    feet = joints[start][[INDEX["left_toe"], INDEX["right_toe"]]]
    assert np.linalg.norm(feet - ball[start], axis=-1).min() < 0.22
    toes = joints[:, [INDEX["left_toe"], INDEX["right_toe"]]]
    kicks = toes[:, :, 1].max(0).argmax()
    assert toes[:, kicks, 1].max() > 0.5
    bears = toes[max(start - 20, 0):start + 50, 1 - kicks]  # the other foot stays where it is, on the ground
    assert np.ptp(bears, axis=0).max() < 0.11
    assert np.linalg.norm(ball[-1] - joints[-1, INDEX["pelvis"]]) > 3


@pytest.mark.parametrize("seed", range(8))
def test_ball_leaves_the_hand(seed: int) -> None:
    t, at = np.arange(0, 4.27, 1 / 60), 2.0
    joints, play = played("throw", seed, t, at)
    ball = play.things[0].pose[:, :3, 3] + [0, play.things[0].size[1] / 2, 0]
    hands = joints[:, [INDEX["left_hand"], INDEX["right_hand"]]]
    far = np.linalg.norm(hands - ball[:, None], axis=-1).min(1)
    assert far[t < at].max() < 0.2
    assert far[t > at + 0.3].min() > 0.8
    assert set(play.shows[(t > 1.4) & (t < 2.4)]) == {"throw"}
