"""Rain and snow as small capsules that fall around the people."""

import numpy as np

from .look import Look
from .meshes import CAPSULE_FLOATS

SPEED = {"rain": 8.0, "snow": 1.2}  # metres per second
HEIGHT = 5.0


def falling_rows(look: Look, centre: np.ndarray, time: float, count: int = 220) -> np.ndarray:
    """(n, 11) capsule rows at a time in seconds; none in dry weather."""
    if look.weather not in SPEED:
        return np.zeros((0, CAPSULE_FLOATS), np.float32)
    rng = np.random.default_rng(look.seed)
    at = rng.uniform(-4, 4, (count, 3)) + centre
    at[:, 1] = (rng.uniform(0, HEIGHT, count) - SPEED[look.weather] * time) % HEIGHT
    length, radius = (0.16, 0.003) if look.weather == "rain" else (0.0, 0.014)
    rows = np.empty((count, CAPSULE_FLOATS), np.float32)
    rows[:, :3], rows[:, 3:6], rows[:, 6:8], rows[:, 8:] = at, at + (0.01, length, 0), radius, 0.8
    return rows
