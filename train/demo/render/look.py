"""How a scene looks: place, light, weather and what everybody wears."""

from dataclasses import dataclass

import numpy as np

INDOOR = ("living room", "bedroom", "office", "gym", "corridor", "warehouse")
OUTDOOR = ("street", "yard", "park")
PLACES = INDOOR + OUTDOOR
# Light: (sun or lamp colour, ambient colour, sky colour), linear RGB.
LIGHTS = {
    "day": ((2.3, 2.1, 1.8), (0.42, 0.48, 0.58), (0.38, 0.60, 0.90)),
    "overcast": ((0.8, 0.8, 0.8), (0.75, 0.77, 0.80), (0.62, 0.66, 0.70)),
    "dusk": ((1.5, 0.85, 0.45), (0.36, 0.34, 0.45), (0.55, 0.35, 0.32)),
    "night": ((0.75, 0.62, 0.40), (0.17, 0.19, 0.27), (0.015, 0.02, 0.05)),
    "infra-red": ((1.1, 1.1, 1.1), (0.35, 0.35, 0.35), (0.02, 0.02, 0.02)),
    "indoor warm": ((1.4, 1.2, 0.9), (0.62, 0.55, 0.46), (0.6, 0.7, 0.8)),
    "indoor cold": ((1.2, 1.3, 1.4), (0.56, 0.60, 0.66), (0.6, 0.7, 0.8)),
}
OUTDOOR_LIGHTS = ("day", "overcast", "dusk", "night", "infra-red")
INDOOR_LIGHTS = ("indoor warm", "indoor cold", "infra-red")
CLOTH = ((0.70, 0.06, 0.06), (0.05, 0.15, 0.55), (0.75, 0.55, 0.05), (0.05, 0.38, 0.14), (0.80, 0.80, 0.78),
         (0.05, 0.05, 0.06), (0.45, 0.10, 0.45), (0.85, 0.30, 0.05), (0.05, 0.45, 0.50), (0.30, 0.30, 0.32))
TROUSERS = ((0.03, 0.05, 0.16), (0.04, 0.04, 0.04), (0.30, 0.24, 0.14), (0.16, 0.17, 0.18), (0.12, 0.07, 0.04), (0.10, 0.16, 0.32))
SKIN = ((0.80, 0.52, 0.40), (0.68, 0.42, 0.28), (0.46, 0.26, 0.15), (0.24, 0.12, 0.07), (0.13, 0.065, 0.04))
HAIR = ((0.02, 0.015, 0.01), (0.10, 0.05, 0.02), (0.40, 0.26, 0.09), (0.25, 0.08, 0.03), (0.35, 0.35, 0.34))
MAX_ACTORS = 8


@dataclass(frozen=True)
class Clothes:
    """What one person looks like: linear RGB colours, girth as a factor on every radius, sleeves of the shirt.

    hat and vest, where they are not None, are drawn in films only.
    """

    shirt: np.ndarray
    trousers: np.ndarray
    shoes: np.ndarray
    skin: np.ndarray
    hair: np.ndarray
    girth: float
    long_sleeves: bool
    long_hair: bool
    hat: np.ndarray | None = None
    vest: np.ndarray | None = None


@dataclass(frozen=True)
class Look:
    """One scene's appearance. sun is the unit vector towards the light; seed places furniture and weather."""

    place: str
    light: str
    weather: str
    sun: np.ndarray
    clothes: tuple[Clothes, ...]
    seed: int

    @property
    def indoor(self) -> bool:
        """Whether walls stand around the scene."""
        return self.place in INDOOR


def _pick(rng: np.random.Generator, colours: tuple[tuple[float, ...], ...]) -> np.ndarray:
    colour = np.array(colours[rng.integers(len(colours))])
    return np.clip(colour * rng.uniform(0.75, 1.25, 3), 0.01, 0.9).astype(np.float32)


def _clothes(rng: np.random.Generator) -> Clothes:
    return Clothes(_pick(rng, CLOTH), _pick(rng, TROUSERS), _pick(rng, TROUSERS + CLOTH[4:6]), _pick(rng, SKIN), _pick(rng, HAIR),
                   float(rng.uniform(0.9, 1.15)), bool(rng.random() < 0.5), bool(rng.random() < 0.35))


def sample_look(rng: np.random.Generator, place: str | None = None, light: str | None = None) -> Look:
    """Draw a look; a place or light that is given is kept. Weather happens out of doors only."""
    place = place or str(rng.choice(PLACES))
    if place not in PLACES:
        raise ValueError(f"look: no place {place!r}, have {PLACES}")
    light = light or str(rng.choice(INDOOR_LIGHTS if place in INDOOR else OUTDOOR_LIGHTS))
    if light not in LIGHTS:
        raise ValueError(f"look: no light {light!r}, have {tuple(LIGHTS)}")
    weather = "none" if place in INDOOR else str(rng.choice(("none", "rain", "snow", "fog"), p=(0.7, 0.12, 0.08, 0.1)))
    turn, lift = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.25)
    sun = np.array([np.cos(turn) * np.cos(lift), np.sin(lift), np.sin(turn) * np.cos(lift)], np.float32)
    return Look(place, light, weather, sun, tuple(_clothes(rng) for _ in range(MAX_ACTORS)), int(rng.integers(2**31)))
