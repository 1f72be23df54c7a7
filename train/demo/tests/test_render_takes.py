"""What the renderer promises: a seed fixes a picture, joints are where project says, and nobody is cut off."""


import numpy as np
import pytest

from demo.render import Clothes, Look, Renderer, frame_camera, project, sample_look
from demo.stage import JOINTS, THINGS, Actor, Take, Thing

JOINT_AT = {"pelvis": (0, 0.95, 0), "neck": (0, 1.47, 0), "head": (0.02, 1.62, 0),
            "face": (0.12, 1.62, 0), "crown": (0.02, 1.75, 0)}
SIDE_AT = {"shoulder": (0, 1.42, 0.19), "elbow": (0.02, 1.14, 0.25), "hand": (0.15, 0.9, 0.25), "hip": (0, 0.92, 0.1),
           "knee": (0.03, 0.5, 0.1), "ankle": (-0.05, 0.08, 0.1), "toe": (0.12, 0.04, 0.1)}


def _take(frames: int = 2, lying: bool = False) -> Take:
    at = dict(JOINT_AT)
    for side, sign in (("left", -1), ("right", 1)):
        at |= {f"{side}_{k}": (x, y, sign * z) for k, (x, y, z) in SIDE_AT.items()}
    joints = np.array([at[j] for j in JOINTS], np.float32)
    if lying:
        joints = joints[:, [1, 0, 2]] + np.float32([0, 0.15, 0])
    return Take("stand", np.arange(frames) / 15, [Actor(np.repeat(joints[None], frames, 0), 1.75)])


@pytest.fixture(scope="module")
def renderer():
    made = Renderer(128, 128)
    yield made
    made.release()


def test_a_seed_fixes_the_picture_and_another_changes_it(renderer):
    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return renderer.render(_take(), sample_look(rng), frame_camera(rng, _take()))

    first = draw(1)
    assert np.array_equal(first, draw(1))
    assert np.abs(first.astype(int) - draw(2)).mean() > 5


@pytest.mark.parametrize("lying", [False, True])
def test_nobody_is_cut_off(lying):
    for seed in range(40):
        rng, take = np.random.default_rng(seed), _take(lying=lying)
        pixels, inside = project(take, frame_camera(rng, take), 128, 128)
        assert inside.all()
        span = (pixels.max((0, 1, 2)) - pixels.min((0, 1, 2))).max() / 128
        assert 0.25 < span < 0.9


def test_hands_are_where_project_says(renderer):
    take, rng = _take(1), np.random.default_rng(3)
    camera, look = frame_camera(rng, take), sample_look(rng, "corridor", "indoor cold")
    dark, red = np.full(3, 0.02, np.float32), np.array([0.9, 0.0, 0.0], np.float32)
    marked = Clothes(dark, dark, dark, red, dark, 1.0, True, False)
    look = Look(look.place, look.light, look.weather, look.sun, (marked,), look.seed)
    picture = renderer.render(take, look, camera)[0].astype(int)
    is_red = picture[..., 0] - picture[..., 1:].max(-1) > 50
    ys, xs = np.nonzero(is_red)
    pixels, _ = project(take, camera, 128, 128)
    nearest = [np.hypot(xs - x, ys - y).min() for x, y in pixels[0, 0, [JOINTS.index("left_hand"), JOINTS.index("right_hand")]]]
    assert min(nearest) < 3  # one hand may be hidden behind the body


def test_every_thing_shows(renderer):
    rng = np.random.default_rng(5)
    take = _take(1)
    camera, look = frame_camera(rng, take), sample_look(rng, "yard", "day")
    without = renderer.render(take, look, camera).astype(int)
    for kind, size in THINGS.items():
        pose = np.eye(4, dtype=np.float32)[None].copy()
        pose[0, :3, 3] = 0.3, 1.0, 0.3
        take.things = [Thing(kind, pose, size)]
        assert (np.abs(renderer.render(take, look, camera) - without) > 12).any(), kind
