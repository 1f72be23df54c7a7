"""What training does to stored pictures: crops, mirror images, light. Joints move with the pixels."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from demo.stage import JOINTS
from froster.pixels import MEAN, STD

MIRRORED = [JOINTS.index(n.replace("left", "?").replace("right", "left").replace("?", "right")) for n in JOINTS]
MARGIN = 7.0  # pixels of flesh around joints


@dataclass(frozen=True)
class Crop:
    """A square of a stored picture, in its pixels, and whether it is mirrored."""

    left: float
    top: float
    side: float
    mirrored: bool


def draw_crop(rng: np.random.Generator, joints: np.ndarray, size: int, close: float = 0.7) -> Crop:
    """A crop for joints (..., 2) of a picture of size x size: mostly one that just holds the people, otherwise a large one."""
    mirrored = bool(rng.random() < 0.5)
    points = joints.reshape(-1, 2).astype(np.float32)
    points = points[((points > 0) & (points < size)).all(-1)]
    if len(points) and rng.random() < close:
        low, high = np.maximum(points.min(0) - MARGIN, 0), np.minimum(points.max(0) + MARGIN, size)
        need = max(float((high - low).max()), 0.45 * size)
        if need < 0.9 * size:
            side = float(rng.uniform(need, min(size, 1.4 * need)))
            at = [rng.uniform(max(0.0, h - side), max(0.0, h - side, min(float(lo), size - side)))
                  for lo, h in zip(low, high, strict=True)]
            return Crop(*at, side, mirrored)
    side = float(rng.uniform(0.82, 1.0)) * size
    return Crop(rng.uniform(0, size - side), rng.uniform(0, size - side), side, mirrored)


def look_at(pictures: Tensor, crops: list[Crop], size: int) -> Tensor:
    """uint8 [n, h, h, 3] to float 0..255 [n, 3, size, size], each by its own crop; bilinear without antialiasing."""
    side, x = pictures.shape[1], pictures.movedim(-1, 1).float()
    theta = torch.zeros(len(crops), 2, 3)
    for i, c in enumerate(crops):
        scale = c.side / side
        theta[i, 0, 0], theta[i, 1, 1] = (-scale if c.mirrored else scale), scale
        theta[i, 0, 2], theta[i, 1, 2] = (2 * c.left + c.side) / side - 1, (2 * c.top + c.side) / side - 1
    grid = F.affine_grid(theta, [len(crops), 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def move_joints(joints: np.ndarray, crop: Crop) -> np.ndarray:
    """Joints (..., 19, 2) in pixels of the stored picture to 0..1 of the crop."""
    out = ((joints - np.array([crop.left, crop.top])) / crop.side).astype(np.float32)
    if crop.mirrored:
        out = out[..., MIRRORED, :]
        out[..., 0] = 1 - out[..., 0]
    return out


def relight(rng: np.random.Generator, pictures: Tensor) -> Tensor:
    """Exposure, contrast and tint drawn for each picture: float 0..255 [n, 3, h, w] to normalised pixels."""
    n = len(pictures)
    gain = torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)) * rng.uniform(0.94, 1.06, (n, 3, 1, 1))).float()
    lift = torch.from_numpy(rng.uniform(-18, 18, (n, 1, 1, 1))).float()
    mean, std = (torch.tensor(v).view(3, 1, 1) * 255 for v in (MEAN, STD))
    return ((pictures * gain + lift).clamp(0, 255) - mean) / std
