"""Unit meshes and the rows that place them: a row draws one capsule or one box."""

from itertools import pairwise

import numpy as np

CAPSULE_FLOATS = 11  # a, b, radius at a, radius at b, colour
BOX_FLOATS = 16  # three axes, centre, colour, texture
PLAIN, GRASS, TILES, WOOD, ASPHALT, BRICK, PLASTER, CONCRETE, GLOW = range(9)


def capsule_mesh(sides: int = 8, rings: int = 2) -> np.ndarray:
    """(n, 4) triangles: a direction on the unit sphere and which end (0 or 1) it belongs to; y runs from a to b."""
    lift = [(-np.pi / 2 + np.pi / 2 * i / rings, 0.0) for i in range(rings + 1)]
    lift += [(np.pi / 2 * i / rings, 1.0) for i in range(rings + 1)]
    turn = np.arange(sides + 1) * 2 * np.pi / sides
    grid = np.array([[(np.cos(p) * np.cos(t), np.sin(p), np.cos(p) * np.sin(t), e) for t in turn] for p, e in lift])
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    return np.stack([a, b, c, a, c, d], 2).reshape(-1, 4).astype("f4")


def box_mesh() -> np.ndarray:
    """(36, 6) triangles of the cube from -0.5 to 0.5: position and normal."""
    rows = []
    for axis in range(3):
        for side in (-0.5, 0.5):
            for u, v in ((-1, -1), (1, -1), (1, 1), (-1, -1), (1, 1), (-1, 1)):
                p, n = np.zeros(3), np.zeros(3)
                p[axis], p[(axis + 1) % 3], p[(axis + 2) % 3], n[axis] = side, u / 2, v / 2, 2 * side
                rows.append([*p, *n])
    return np.array(rows, "f4")


class Shapes:
    """Collects rows in a frame of its own; moved puts them into another."""

    def __init__(self) -> None:
        self.capsules: list[np.ndarray] = []
        self.boxes: list[np.ndarray] = []

    def rod(self, a, b, radius, colour, end=None) -> None:
        """A capsule from a to b; end is the radius at b where it differs."""
        self.capsules.append(np.array([*a, *b, radius, radius if end is None else end, *colour], "f4"))

    def box(self, centre, size, colour, texture=PLAIN) -> None:
        """A box along the axes, by its centre and full size."""
        self.boxes.append(np.array([size[0], 0, 0, 0, size[1], 0, 0, 0, size[2], *centre, *colour, texture], "f4"))

    def ring(self, centre, radius, tube, colour, sides=12) -> None:
        """An upright ring in the x-y plane, as rods."""
        t = np.arange(sides + 1) * 2 * np.pi / sides
        rim = np.array(centre) + radius * np.stack([np.cos(t), np.sin(t), 0 * t], 1)
        for a, b in pairwise(rim):
            self.rod(a, b, tube, colour)

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Capsule rows (n, 11) and box rows (m, 16)."""
        return (np.array(self.capsules, "f4").reshape(-1, CAPSULE_FLOATS), np.array(self.boxes, "f4").reshape(-1, BOX_FLOATS))


def moved(rows: tuple[np.ndarray, np.ndarray], pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows seen from outside, pose (4, 4) being outside from inside."""
    capsules, boxes = rows[0].copy(), rows[1].copy()
    turn, shift = pose[:3, :3], pose[:3, 3]
    for at in (0, 3):
        capsules[:, at:at + 3] = capsules[:, at:at + 3] @ turn.T + shift
    for at in (0, 3, 6):
        boxes[:, at:at + 3] = boxes[:, at:at + 3] @ turn.T
    boxes[:, 9:12] = boxes[:, 9:12] @ turn.T + shift
    return capsules, boxes
