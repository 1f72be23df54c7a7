"""Which frames of a video make a clip: FROSTER's sampling, in seconds, so that any frame rate gives the same moments."""

import math
from dataclasses import dataclass

import torch

TARGET_FPS = 30  # the rate that the step between frames is counted at


@dataclass(frozen=True)
class Sampling:
    """A clip of `frames` frames, `step` apart at 30 a second."""

    frames: int = 8
    step: int = 16

    def window(self, fps: float) -> int:
        """Source frames from a clip's first to its last, as the official code seeks and decodes them."""
        return max(1, math.ceil(self.step * (self.frames - 1) / TARGET_FPS * fps))

    def span(self, fps: float) -> float:
        """Source frames that a clip stands for: 128 at 30 a second."""
        return max(1.0, self.frames * self.step / TARGET_FPS * fps)

    def pick(self, start: float, fps: float, count: int) -> list[int]:
        """The numbers of a clip's frames among `count` decoded ones, from `start` on; those beyond the end are the last one."""
        where = torch.linspace(start, start + self.span(fps) - 1, self.frames)
        return where.clamp(0, count - 1).long().tolist()


def uniform_start(total: int, length: float, view: int, views: int) -> float:
    """Where view 0..views-1 begins when a container tells its duration: the official test path."""
    return max(total - length, 0) * view / views


def offset_start(total: int, length: float, view: int, views: int) -> float:
    """Where a view begins when the whole video is decoded: from the start to the end; the middle for a single view."""
    rest = max(total - length, 0)
    return math.floor(rest / 2) if views == 1 else view * math.floor(rest / (views - 1))
