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
        return (0, 0, *size) if (clip[:, 3] >= 0.2).any() else None
    ndc = clip[:, :2] / clip[:, 3:]
    low, high = (np.clip((f(ndc, 0) * (0.5, 0.5) + 0.5), 0, 1) for f in (np.min, np.max))
    left, right = int(np.floor(low[0] * size[0])), int(np.ceil(high[0] * size[0]))
    top, bottom = int(np.floor((1 - high[1]) * size[1])), int(np.ceil((1 - low[1]) * size[1]))
    return (left, top, right, bottom) if right - left > 0 and bottom - top > 0 else None


def touching(rods: np.ndarray, boxes: np.ndarray, clip: np.ndarray,
             window: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The capsule and box rows that may be seen within window (left, bottom, right, top; -1..1) by clip (4, 4) from world."""
    kept = []
    for ends, radius in (((rods[:, :3], rods[:, 3:6]), rods[:, 6:8].max(1, initial=0)),
                         ((boxes[:, 9:12],), 0.5 * np.sqrt((boxes[:, :9] ** 2).sum(1)))):  # fmt: skip
        scale = np.linalg.norm(clip[:2, :3], axis=1)
        low, high, near = [], [], np.zeros(len(radius), bool)
        for at in ends:
            seen = np.c_[at, np.ones(len(at))] @ clip.T
            depth = seen[:, 3] - radius * np.linalg.norm(clip[3, :3])
            near |= depth < 0.1
            spread = radius[:, None] * scale / np.maximum(depth, 0.1)[:, None]
            middle = seen[:, :2] / np.maximum(seen[:, 3:], 0.1)
            low.append(middle - spread - 0.02)
            high.append(middle + spread + 0.02)
        low, high = np.min(low, 0), np.max(high, 0)
        out = (high[:, 0] < window[0]) | (high[:, 1] < window[1]) | (low[:, 0] > window[2]) | (low[:, 1] > window[3])
        kept.append(near | ~out)
    return rods[kept[0]], boxes[kept[1]]


def front_first(boxes: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """(n,) the lower, the earlier a box is to be drawn: near ones, and the ground last."""
    depth = np.c_[boxes[:, 9:12], np.ones(len(boxes))] @ clip[3]
    return depth + 4 * np.sqrt((boxes[:, :9] ** 2).sum(1))
