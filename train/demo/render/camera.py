"""A pinhole camera and where to hang it so that a whole take fills the picture."""

from dataclasses import dataclass

import numpy as np

from ..stage import Take

NEAR, FAR = 0.1, 120.0
MARGIN = 0.16  # metres of flesh around a joint


@dataclass(frozen=True)
class Camera:
    """eye and target in world metres, fov the vertical angle in radians, aspect width over height."""

    eye: np.ndarray
    target: np.ndarray
    fov: float
    aspect: float = 1.0

    def matrix(self) -> np.ndarray:
        """(4, 4) float32 clip from world."""
        ahead = _unit(self.target - self.eye)
        right = _unit(np.cross(ahead, [0.0, 1.0, 0.0]))
        up = np.cross(right, ahead)
        view = np.eye(4)
        view[:3, :3] = right, up, -ahead
        view[:3, 3] = -view[:3, :3] @ self.eye
        focal = 1 / np.tan(self.fov / 2)
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = focal / self.aspect, focal
        clip[2, 2], clip[2, 3], clip[3, 2] = (FAR + NEAR) / (NEAR - FAR), 2 * FAR * NEAR / (NEAR - FAR), -1
        return (clip @ view).astype(np.float32)


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v, float) / np.linalg.norm(v)


def people_points(take: Take) -> np.ndarray:
    """(n, 3) points that surround all joints of all frames; a box of 2 m where nobody is."""
    if not take.actors:
        return np.array([[x, y, z] for x in (-1, 1) for y in (0.0, 1.8) for z in (-1, 1)])
    joints = np.concatenate([a.joints.reshape(-1, 3) for a in take.actors]).astype(float)
    offsets = MARGIN * np.concatenate([np.eye(3), -np.eye(3)])
    return (joints[:, None] + offsets).reshape(-1, 3)


def _extent(camera: Camera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    clip = np.c_[points, np.ones(len(points))] @ camera.matrix().T
    ndc = clip[:, :2] / np.maximum(clip[:, 3:], 1e-6)
    return ndc.min(0), ndc.max(0), bool((clip[:, 3] > 0.4).all())


def frame_camera(rng: np.random.Generator, take: Take, height_range: tuple[float, float] = (1.6, 4.5),
                 fill: tuple[float, float] = (0.45, 0.9), aspect: float = 1.0, *,
                 turn: float | None = None) -> Camera:
    """Hang a camera at a height (metres) so that the people span a share in fill of the picture's width or height.

    turn: the level angle in radians from +x towards +z at which it hangs about the people, drawn where None.
    """
    points = people_points(take)
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    share, drawn = rng.uniform(*fill), rng.uniform(0, 2 * np.pi)
    turn = drawn if turn is None else turn
    height, fov = rng.uniform(*height_range), rng.uniform(0.6, 0.95)
    way = np.array([np.cos(turn), 0.0, np.sin(turn)])
    near, far = 1.5, 60.0
    camera = Camera(centre, centre + way, fov, aspect)
    for _ in range(28):
        middle = (near + far) / 2
        eye = centre + way * middle
        eye[1] = _level(height, centre[1], middle)
        camera = _centred(Camera(eye, centre, fov, aspect), points)
        lo, hi, ahead = _extent(camera, points)
        if not ahead or max(hi - lo) / 2 > share:
            near = middle
        else:
            far = middle
    eye = centre + way * far
    eye[1] = _level(height, centre[1], far)
    return _centred(Camera(eye, centre, fov, aspect), points)


def _level(height: float, middle: float, distance: float) -> float:
    """The height, but never so high over people so near that they are seen from above only."""
    return float(min(height, max(1.6, middle + 0.5 * distance)))


def _centred(camera: Camera, points: np.ndarray) -> Camera:
    for _ in range(3):
        lo, hi, ahead = _extent(camera, points)
        if not ahead:
            return camera
        mid = (lo + hi) / 2 * np.tan(camera.fov / 2)
        look = camera.target - camera.eye
        reach = np.linalg.norm(look)
        right = _unit(np.cross(look, [0.0, 1.0, 0.0]))
        up = np.cross(right, look / reach)
        shift = reach * (right * mid[0] * camera.aspect + up * mid[1])
        camera = Camera(camera.eye, camera.target + shift, camera.fov, camera.aspect)
    return camera
