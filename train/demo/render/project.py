"""Where joints fall in the picture."""

import numpy as np

from ..stage import JOINTS, Take
from .camera import Camera


def project(take: Take, camera: Camera, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (frames, actors, joints, 2) float32, x right and y down, and inside, bool of the first three axes.

    inside says that a joint is before the camera and within the picture; what hides behind something counts as inside.
    """
    if not take.actors:
        shape = (len(take.times), 0, len(JOINTS))
        return np.zeros((*shape, 2), np.float32), np.zeros(shape, bool)
    joints = np.stack([a.joints for a in take.actors], 1)
    clip = np.concatenate([joints, np.ones_like(joints[..., :1])], -1) @ camera.matrix().T
    ndc = clip[..., :2] / np.maximum(clip[..., 3:], 1e-6)
    pixels = (ndc * (0.5, -0.5) + 0.5) * (width, height)
    inside = (clip[..., 3] > 0) & (np.abs(ndc) <= 1).all(-1)
    return pixels.astype(np.float32), inside
