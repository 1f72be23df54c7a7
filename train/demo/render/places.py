"""Grounds, walls and background. Built in a frame whose x points away from the camera, so nothing stands before the people."""

import numpy as np

from .look import LIGHTS, Look
from .meshes import ASPHALT, BRICK, CONCRETE, GLOW, GRASS, PLASTER, TILES, WOOD, Shapes, moved
from .things import DRAW, thing_rows

FLOORS = {"living room": (WOOD, (0.42, 0.25, 0.12)), "bedroom": (WOOD, (0.5, 0.38, 0.25)), "office": (TILES, (0.33, 0.36, 0.40)),
          "gym": (WOOD, (0.6, 0.40, 0.18)), "corridor": (TILES, (0.55, 0.55, 0.50)), "warehouse": (CONCRETE, (0.42, 0.42, 0.40)),
          "street": (ASPHALT, (0.13, 0.13, 0.14)), "yard": (CONCRETE, (0.42, 0.40, 0.36)), "park": (GRASS, (0.10, 0.26, 0.05))}
INSIDE = {"living room": ("sofa", "table"), "bedroom": ("bed", "chair"), "office": ("desk", "chair"), "gym": ("punchbag", "ball"),
          "corridor": (), "warehouse": ("box", "box")}


def place_rows(look: Look, centre: np.ndarray, away: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows in world metres around centre; away (3,) is level, and people stay within reach metres of centre."""
    rng, s = np.random.default_rng(look.seed), Shapes()
    texture, colour = FLOORS[look.place]
    s.box((0, -0.05, 0), (160, 0.1, 160), np.array(colour) * rng.uniform(0.8, 1.2), texture)
    back = reach + rng.uniform(1.2, 2.2)
    extra = _room(s, rng, look, back) if look.indoor else _outside(s, rng, look, back)
    rows = [s.rows(), *extra]
    turn = np.eye(4)
    turn[:3, 0], turn[:3, 2] = away, np.cross(away, [0, 1, 0])
    turn[:3, 3] = centre[0], 0, centre[2]
    return moved((np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows])), turn)


def _room(s: Shapes, rng: np.random.Generator, look: Look, back: float) -> list[tuple[np.ndarray, np.ndarray]]:
    texture, high = (BRICK, 6.0) if look.place == "warehouse" else (PLASTER, 3.6)
    wall = np.array([0.68, 0.64, 0.56]) * rng.uniform(0.7, 1.1, 3)
    half = back + 2.5
    s.box((back + 0.1, high / 2, 0), (0.2, high, 40), wall, texture)
    s.box((back - 0.02, 0.06, 0), (0.04, 0.12, 40), wall * 0.5)
    for k in (-1, 1):
        s.box((0, high / 2, k * half), (2 * back + 0.2, high, 0.2), wall * 0.9, texture)
    door = rng.uniform(-1, 1) * half * 0.5
    s.box((back, 1.05, door), (0.08, 2.1, 0.95), (0.30, 0.16, 0.07), WOOD)
    s.rod((back - 0.08, 1.0, door + 0.36), (back - 0.08, 1.0, door + 0.36), 0.04, (0.7, 0.6, 0.2))
    for k in (-1, 1):
        at = door + k * rng.uniform(1.8, 2.4)
        s.box((back, 1.7, at), (0.06, 1.2, 1.4), (0.8, 0.8, 0.8))
        s.box((back - 0.03, 1.7, at), (0.04, 1.05, 1.25), np.array(LIGHTS[look.light][2]) * 0.8, GLOW)
        s.box((back - 0.05, 1.7, at), (0.04, 1.1, 0.05), (0.8, 0.8, 0.8))
    if look.place in ("warehouse", "office", "living room"):
        _shelf(s, rng, back - 0.25, door + rng.choice((-1, 1)) * 4.0)
    return [_stood(kind, back - 0.6, door + (1.7 + 2.2 * i) * (-1) ** i) for i, kind in enumerate(INSIDE[look.place])]


def _stood(kind: str, x: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    from ..stage import THINGS  # noqa: PLC0415
    pose = np.diag([-1.0, 1, -1, 1])
    pose[:3, 3] = x, 0, z
    return moved(thing_rows(kind, THINGS[kind]), pose) if kind in DRAW else Shapes().rows()


def _shelf(s: Shapes, rng: np.random.Generator, x: float, z: float) -> None:
    for h in (0.1, 0.7, 1.3, 1.9):
        s.box((x, h, z), (0.45, 0.05, 1.8), (0.30, 0.20, 0.10))
        for k in (-0.6, 0.0, 0.6):
            tall = rng.uniform(0.2, 0.45)
            s.box((x, h + tall / 2, z + k), (0.3, tall, rng.uniform(0.3, 0.5)), rng.uniform(0.1, 0.6, 3))
    for k in (-0.9, 0.9):
        s.box((x, 1.05, z + k), (0.45, 2.1, 0.05), (0.30, 0.20, 0.10))


def _outside(s: Shapes, rng: np.random.Generator, look: Look, back: float) -> list[tuple[np.ndarray, np.ndarray]]:
    if look.place != "park":
        s.box((back + 8, 0.06, 0), (9, 0.12, 120), (0.38, 0.37, 0.35), TILES)
        s.box((back + 12, 4, 0), (2, 8, 60), np.array([0.35, 0.20, 0.15]) * rng.uniform(0.6, 1.5, 3), BRICK)
        glass = (0.9, 0.7, 0.3) if look.light in ("night", "dusk") else (0.15, 0.22, 0.3)
        for z in np.arange(-24, 25, 3.0):
            for h in (1.9, 5.2):
                s.box((back + 10.97, h, z), (0.1, 1.5, 1.3), glass, GLOW)
    if look.place == "street":
        for z in np.arange(-30, 30, 4.0):
            s.box((back + 0.3, 0.005, z), (0.15, 0.012, 2.0), (0.8, 0.8, 0.75))
        for z in (-5.0, 0.8, 6.2):
            _car(s, back + 2.6, z + rng.uniform(-0.5, 0.5), rng.uniform(0.05, 0.6, 3))
    if look.place != "street":
        for z in np.arange(-14, 15, 4.0):
            _tree(s, back + rng.uniform(3, 9), z + rng.uniform(-1, 1), rng)
    for z in (-6.5, 5.5):
        s.rod((back + 1.4, 0, z), (back + 1.4, 5, z), 0.07, (0.12, 0.13, 0.14))
        s.rod((back + 1.4, 5, z), (back + 0.6, 5.1, z), 0.10, (0.9, 0.85, 0.6))
    return [Shapes().rows()]


def _car(s: Shapes, x: float, z: float, paint: np.ndarray) -> None:
    s.box((x, 0.62, z), (1.75, 0.6, 4.2), paint)
    s.box((x, 1.12, z + 0.2), (1.55, 0.5, 2.2), (0.06, 0.08, 0.10))
    s.box((x, 1.40, z + 0.2), (1.5, 0.08, 1.9), paint)
    for i in (-0.8, 0.8):
        for k in (-1.3, 1.3):
            s.rod((x + i, 0.33, z + k), (x + i, 0.33, z + k), 0.33, (0.03, 0.03, 0.03))


def _tree(s: Shapes, x: float, z: float, rng: np.random.Generator) -> None:
    s.rod((x, 0, z), (x, 2.4, z), 0.18, (0.20, 0.11, 0.05), 0.12)
    for _ in range(6):
        at = np.array([x, 3.0, z]) + rng.uniform(-0.9, 0.9, 3)
        s.rod(at, at, rng.uniform(0.7, 1.1), np.array([0.07, 0.22, 0.04]) * rng.uniform(0.6, 1.4))
