"""Two people: they fight with reach, hold each other, and their right hands meet."""

import numpy as np
import pytest

from demo.motions import meeting
from demo.skeleton import INDEX, solve

MOTIONS = {"fight": meeting.fight, "hug": meeting.hug, "shake": meeting.shake_hands}
KNOWN = {"walk", "stand", *MOTIONS}


def played(name: str, seed: int, t: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    play = MOTIONS[name](np.random.default_rng(seed), t)
    return [solve(body, pose) for body, pose in play.people], play.shows


def at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, INDEX[name]]


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_smooth_near_and_above_ground(name: str, seed: int) -> None:
    people, shows = played(name, seed, np.arange(0, 4.27, 1 / 240))
    assert len(shows) == len(people[0])
    assert set(shows) <= KNOWN
    apart = np.linalg.norm(at(people[0], "pelvis") - at(people[1], "pelvis"), axis=-1)
    assert apart.max() < 2.6
    assert apart.min() > 0.25
    for joints in people:
        assert joints[..., 1].min() > 0
        assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() * 240 < 14
        assert np.abs(joints[..., (0, 2)]).max() < 2.5


@pytest.mark.parametrize("name", MOTIONS)
def test_frame_rate_does_not_matter(name: str) -> None:
    fine, coarse = (played(name, 5, np.linspace(0, 4, 4 * fps + 1)) for fps in (60, 10))
    for a, b in zip(fine[0], coarse[0], strict=True):
        np.testing.assert_allclose(a[::6], b, atol=1e-9)
    assert (fine[1][::6] == coarse[1]).all()


@pytest.mark.parametrize("seed", range(5))
def test_blows_land_and_go_on(seed: int) -> None:
    people, _ = played("fight", seed, np.arange(0, 30, 1 / 30))
    fists = [np.stack([at(p, "left_hand"), at(p, "right_hand")], 1) for p in people]
    near = [np.linalg.norm(fists[k] - at(people[1 - k], "head")[:, None], axis=-1).min(1) < 0.20 for k in (0, 1)]
    for start in range(0, 900, 300):
        assert any(n[start:start + 300].sum() > 8 for n in near)
    assert all(n.any() for n in near)


@pytest.mark.parametrize("seed", range(6))
def test_arms_are_about_the_other_in_most_frames(seed: int) -> None:
    t = np.linspace(0, 4.27, 8)
    people, shows = played("hug", seed, t)
    assert (shows == "hug").sum() >= 6
    for k in (0, 1):
        back = (at(people[1 - k], "neck") + at(people[1 - k], "pelvis")) / 2
        to = (back - at(people[k], "neck")) * (1, 0, 1)
        to /= np.linalg.norm(to, axis=-1, keepdims=True)
        for side in ("left", "right"):
            past = ((at(people[k], f"{side}_hand") - back) * to).sum(-1)
            assert past[2:].min() > 0.0  # behind the other's back


@pytest.mark.parametrize("seed", range(6))
def test_right_hands_meet_and_shake(seed: int) -> None:
    people, shows = played("shake", seed, np.arange(0, 4.27, 1 / 60))
    shaken = shows == "shake"
    hands = [at(p, "right_hand")[shaken] for p in people]
    assert shaken.mean() > 0.75
    assert np.linalg.norm(hands[0] - hands[1], axis=-1).max() < 0.05
    assert np.ptp(hands[0][:, 1]) > 0.06
