"""Going on foot: bones keep their length, feet neither sink nor slide, and the frame rate does not matter."""

import numpy as np
import pytest

from demo.motions.gait import arc, eased, go, runner, straight, stroller
from demo.skeleton import INDEX, Body, solve

BONES = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right")
         for a, b in (("shoulder", "elbow"), ("elbow", "hand"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toe"))]  # fmt: skip
WAYS = {
    "walk": (stroller, 1.3, straight(1.3)),
    "circle": (stroller, 1.1, arc(1.1, 2.0)),
    "stops": (stroller, 1.3, eased(straight(1.3), [(0.5, 2.0)])),
    "run": (runner, 2.8, straight(2.8)),
}


def walked(way: str, seed: int, times: np.ndarray) -> tuple[Body, np.ndarray]:
    make, speed, path = WAYS[way]
    body = Body(1.55 + 0.07 * (seed % 5))
    return body, solve(body, go(body, make(np.random.default_rng(seed), speed, body), path, times))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(4))
def test_bones_and_ground(way: str, seed: int) -> None:
    _, joints = walked(way, seed, np.arange(0, 4, 1 / 60))
    for a, b in BONES:
        length = np.linalg.norm(joints[:, INDEX[a]] - joints[:, INDEX[b]], axis=-1)
        assert np.ptp(length) < 1e-6, (a, b)
    assert joints[..., 1].min() > 0


@pytest.mark.parametrize("way", WAYS)
def test_nothing_jumps(way: str) -> None:
    _, joints = walked(way, 1, np.arange(0, 4, 1 / 240))
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 240
    assert speed.max() < 14  # metres a second; a runner's foot reaches about three times the runner's speed


@pytest.mark.parametrize("way", ["walk", "circle", "stops"])
def test_one_foot_always_bears(way: str) -> None:
    """At any time the slower ball of the two feet rests, and it rests on the ground."""
    body, joints = walked(way, 2, np.arange(0, 4, 1 / 120))
    balls = joints[:, [INDEX["left_toe"], INDEX["right_toe"]]]
    speed = np.linalg.norm(np.diff(balls, axis=0), axis=-1) * 120
    assert np.quantile(speed.min(1), 0.95) < 0.25
    slower = np.take_along_axis(balls[1:, :, 1], speed.argmin(1)[:, None], 1)
    assert np.quantile(slower, 0.9) < 0.06 * body.height


def test_frame_rate_does_not_matter() -> None:
    fine, coarse = (walked("walk", 3, np.arange(0, 4, 1 / fps))[1] for fps in (60, 10))
    np.testing.assert_allclose(fine[::6], coarse, atol=1e-9)
