"""From camera frames to what the vision tower takes, as FROSTER's test code does it."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of RGB in 0..1: CLIP's training images
STD = (0.26862954, 0.26130258, 0.27577711)


def normalise(frames: Tensor) -> Tensor:
    """uint8 or float RGB in 0..255 [..., h, w, 3] to float32 [..., 3, h, w]; on the device that the frames are on."""
    mean, std = (torch.tensor(v, device=frames.device).mul(255).view(3, 1, 1) for v in (MEAN, STD))
    return (frames.movedim(-1, -3).float() - mean) / std


def resized_shape(height: int, width: int, short: int) -> tuple[int, int]:
    """Height and width once the short side is `short`; the long side is floored."""
    if width < height:
        return math.floor(height / width * short), short
    return short, math.floor(width / height * short)


def resize_short_side(images: Tensor, short: int) -> Tensor:
    """float [n, c, h, w]: bilinear, half-pixel centres, no antialiasing."""
    h, w = images.shape[-2:]
    if min(h, w) == short:
        return images
    return F.interpolate(images, size=resized_shape(h, w, short), mode="bilinear", align_corners=False)


def centre_crop(images: Tensor, size: int) -> Tensor:
    """[..., h, w] with both sides at least size; an odd rest leaves more above and left."""
    top, left = (math.ceil((side - size) / 2) for side in images.shape[-2:])
    return images[..., top : top + size, left : left + size]


def resize_and_crop(frames: Tensor, size: int) -> Tensor:
    """uint8 [t, h, w, 3] to uint8 [t, size, size, 3], rounded: what the product sends over Kafka."""
    if frames.shape[1:3] == (size, size):
        return frames
    images = centre_crop(resize_short_side(frames.movedim(-1, 1).float(), size), size)
    return images.round().clamp(0, 255).byte().movedim(1, -1)
