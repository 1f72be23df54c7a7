"""Moving and climbing: the frame rate does not matter, nothing jumps or sinks, and each action is what its name says."""

import numpy as np
import pytest

from demo.motions import climbing, moving
from demo.motions.parts import Play
from demo.skeleton import INDEX, solve

MOTIONS = {"walk": moving.walk, "run": moving.run, "jump": moving.jump, "crawl": moving.crawl, "fence": climbing.climb_fence,
           "ladder": climbing.climb_ladder}  # fmt: skip
KEYS = {"walk", "run", "stand", "air", "crouch", "armsup", "fours", "fence", "atfence", "ladder"}
CLIP = 4.0  # seconds
SEEDS = range(5)


def performed(action: str, seed: int, fps: int, seconds: float = CLIP, at: float | None = None) -> tuple[Play, np.ndarray]:
    """A play and the joints of its person, (frames, joints, 3)."""
    play = MOTIONS[action](np.random.default_rng(seed), np.linspace(0, seconds, round(seconds * fps) + 1), at=at)
    return play, solve(*play.people[0])


def of(joints: np.ndarray, *names: str) -> np.ndarray:
    return joints[:, [INDEX[n] for n in names]]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("action", MOTIONS)
def test_any_frame_rate_shows_the_same_sound_body(action: str, seed: int) -> None:
    (fine, joints), (coarse, few) = performed(action, seed, 240), performed(action, seed, 10)
    np.testing.assert_allclose(joints[::24], few, atol=1e-6)
    assert list(fine.shows[::24]) == list(coarse.shows)
    assert len(fine.shows) == len(joints)
    assert set(fine.shows) <= KEYS
    assert all(len(thing.pose) == len(joints) for thing in fine.things)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 240
    assert speed.max() < 14, "metres a second"
    assert joints[..., 1].min() > 0


@pytest.mark.parametrize("action", MOTIONS)
def test_a_long_take_stays_near(action: str) -> None:
    for seed in SEEDS:
        _, joints = performed(action, seed, 20, 30.0)
        assert np.abs(joints[..., [0, 2]]).max() < 3.5, "metres"


@pytest.mark.parametrize("seed", SEEDS)
def test_walking_and_running_go_somewhere(seed: int) -> None:
    way = {}
    for action in ("walk", "run"):
        pelvis = of(performed(action, seed, 60)[1], "pelvis")[:, 0]
        way[action] = np.linalg.norm(np.diff(pelvis[:, [0, 2]], axis=0), axis=-1).sum() / CLIP
    assert 0.8 < way["walk"] < 1.7
    assert way["run"] > 2.2


@pytest.mark.parametrize("seed", range(12))
def test_jumping_leaves_the_ground_again_and_again(seed: int) -> None:
    play, joints = performed("jump", seed, 60)
    feet = of(joints, "left_toe", "right_toe")[..., 1].min(1)
    in_air = feet > 0.06
    assert 0.25 < in_air.mean() < 0.75
    assert np.sum(np.diff(in_air.astype(int)) == 1) >= 3
    assert set(play.shows[feet > 0.12]) == {"air"}


@pytest.mark.parametrize("seed", range(8))
def test_crawling_is_on_hands_and_knees(seed: int) -> None:
    _, joints = performed("crawl", seed, 60)
    assert of(joints, "left_hand", "right_hand")[..., 1].min(1).max() < 0.08
    assert of(joints, "left_knee", "right_knee")[..., 1].max() < 0.16
    assert of(joints, "head")[..., 1].max() < 0.9
    assert np.linalg.norm(joints[-1, 0] - joints[0, 0]) > 0.3


@pytest.mark.parametrize("limb", ["knee", "hand"])
def test_what_bears_in_crawling_does_not_slide(limb: str) -> None:
    for seed in SEEDS:
        _, joints = performed("crawl", seed, 120)
        pair = of(joints, f"left_{limb}", f"right_{limb}")
        speed = np.linalg.norm(np.diff(pair[..., [0, 2]], axis=0), axis=-1) * 120
        assert np.quantile(speed.min(1), 0.95) < 0.1


@pytest.mark.parametrize("seed", range(8))
def test_the_fence_is_crossed_over_its_top(seed: int) -> None:
    play, joints = performed("fence", seed, 60, 6.0, at=0.8)
    x, y = joints[:, 0, 0], joints[:, 0, 1]
    assert x[0] < -0.3
    assert x[-1] > 0.3
    over, top = np.abs(x) < 0.05, play.things[0].size[1]
    assert over.any()
    assert y[over].min() > top
    assert (play.shows == "fence").mean() > 0.4
    feet = of(joints, "left_ankle", "right_ankle", "left_toe", "right_toe").reshape(-1, 3)
    through = feet[np.abs(feet[:, 0]) < 0.02]
    assert through[:, 1].min() > top - 0.05, "a foot passes through the fence"
    near = performed("fence", seed, 60, 4.27)[0].shows
    assert (near == "fence").mean() > 0.55


@pytest.mark.parametrize("seed", range(8))
def test_hands_and_feet_are_on_rungs(seed: int) -> None:
    play, joints = performed("ladder", seed, 60)
    ladder = play.things[0]
    inside = (joints - ladder.pose[:, None, :3, 3]) @ ladder.pose[0, :3, :3]
    rungs = np.arange(0.25, ladder.size[1], 0.28)
    for part, above in (("hand", 0.0), ("toe", 0.04)):
        limbs = of(inside, f"left_{part}", f"right_{part}")
        off = np.abs(limbs[..., 1, None] - above - rungs).min(-1)
        assert np.quantile(off.min(1), 0.98) < 0.04, part
        assert np.abs(limbs[..., 0]).min(1).max() < 0.08, part
    pelvis = joints[:, 0, 1]
    assert pelvis[-1] - pelvis[0] > 0.6
