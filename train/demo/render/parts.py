"""Which part of a picture changes from frame to frame."""

import numpy as np

from ..stage import Take
from .camera import Camera

FLESH = 0.3  # metres around joints and the corners of things


def changed(take: Take, frame: int, camera: Camera, sun: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom in pixels of what people, things that move and their shadows can touch; None for nothing."""
    points = [a.joints[frame] for a in take.actors]
    for x in take.things:
        if not (x.pose == x.pose[0]).all():
            corners = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-1, 1) for k in (-0.5, 0.5)]) * x.size
            points.append(corners @ x.pose[frame, :3, :3].T + x.pose[frame, :3, 3])
    if not points:
        return None
    here = np.concatenate(points)
    down = here - np.maximum(here[:, 1:2], 0) / sun[1] * sun
    offsets = FLESH * np.concatenate([np.eye(3), -np.eye(3)])
    round_ = (np.concatenate([here, down])[:, None] + offsets).reshape(-1, 3)
    clip = np.c_[round_, np.ones(len(round_))] @ camera.matrix().T
    if (clip[:, 3] < 0.2).any():  # beside or behind the camera
        clip = clip[clip[:, 3] >= 0.2]
        if not len(clip):
            return None
    ndc = clip[:, :2] / clip[:, 3:]
    low, high = (np.clip((f(ndc, 0) * (0.5, 0.5) + 0.5), 0, 1) for f in (np.min, np.max))
    left, right = int(np.floor(low[0] * size[0])), int(np.ceil(high[0] * size[0]))
    top, bottom = int(np.floor((1 - high[1]) * size[1])), int(np.ceil((1 - low[1]) * size[1]))
    return (left, top, right, bottom) if right - left > 0 and bottom - top > 0 else None
