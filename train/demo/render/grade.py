"""What a cheap camera does to a picture."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Grade:
    """noise in levels of 255, exposure and white (per channel) as gains, vignette and blur shares, jpeg quality or 0 for none."""

    noise: float = 0.0
    exposure: float = 1.0
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    blur: float = 0.0
    jpeg: int = 0
    night: bool = False


def sample_grade(rng: np.random.Generator, light: str = "day") -> Grade:
    """Draw a camera; at night it is noisier, and infra-red has no colour."""
    dark = light in ("night", "infra-red")
    white = rng.uniform(0.93, 1.07, 3)
    return Grade(float(rng.uniform(1, 9 if dark else 4)), float(rng.uniform(0.85, 1.15)), (white[0], white[1], white[2]),
                 float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.35)), 0, light == "infra-red")


def grade(frames: np.ndarray, rng: np.random.Generator, how: Grade) -> np.ndarray:
    """Grade uint8 (frames, H, W, 3); the input stays as it is."""
    x = frames.astype(np.float32)
    if how.blur:
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
        around = (padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]) / 4
        x += how.blur * (around - x)
    if how.night:
        grey = x @ np.array([0.35, 0.5, 0.15], np.float32)
        x = grey[..., None] * np.array([0.93, 1.0, 0.95], np.float32)
    height, width = x.shape[1:3]
    v, u = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    shade = 1 - how.vignette * (u * u + v * v) / 2
    x *= (shade[..., None] * np.array(how.white) * how.exposure).astype(np.float32)
    if how.noise:
        x += rng.standard_normal(x.shape, np.float32) * how.noise
    out = np.clip(x + 0.5, 0, 255).astype(np.uint8)
    return np.stack([_jpeg(f, how.jpeg) for f in out]) if how.jpeg else out


def _jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
    packed = io.BytesIO()
    Image.fromarray(frame).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("RGB"))
