"""The things of the stage, each drawn in its own frame: x front, y up, z right."""

import numpy as np

from .meshes import CONCRETE, GLOW, PLASTER, WOOD, Shapes

BROWN, DARK, STEEL, CLOTH = (0.32, 0.17, 0.07), (0.05, 0.05, 0.06), (0.5, 0.52, 0.55), (0.10, 0.22, 0.42)


def thing_rows(kind: str, size: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Capsule and box rows of one thing of the size given in metres; an unknown kind is a plain box."""
    s = Shapes()
    x, y, z = size
    DRAW.get(kind, _box)(s, x, y, z)
    return s.rows()


def _legs(s: Shapes, x: float, y: float, z: float, colour: tuple[float, ...]) -> None:
    for i in (-1, 1):
        for k in (-1, 1):
            foot = np.array([i * (x / 2 - 0.04), 0.02, k * (z / 2 - 0.04)])
            s.rod(foot, foot + np.array([0, y - 0.02, 0]), 0.022, colour)


def _chair(s: Shapes, x: float, y: float, z: float) -> None:
    _legs(s, x, y * 0.5, z, BROWN)
    s.box((0, y * 0.5, 0), (x, 0.05, z), CLOTH)
    s.box((-x / 2 + 0.025, y * 0.78, 0), (0.05, y * 0.44, z), CLOTH)


def _stool(s: Shapes, x: float, y: float, z: float) -> None:
    _legs(s, x, y, z, BROWN)
    s.box((0, y - 0.03, 0), (x, 0.06, z), BROWN)


def _sofa(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y * 0.27, 0), (x, y * 0.45, z), CLOTH)
    s.box((-x * 0.4, y * 0.55, 0), (x * 0.2, y * 0.9, z), (0.08, 0.18, 0.35))
    for k in (-1, 1):
        s.box((0, y * 0.38, k * (z / 2 - 0.08)), (x, y * 0.68, 0.16), (0.08, 0.18, 0.35))


def _bed(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y * 0.3, 0), (x, y * 0.4, z), BROWN, WOOD)
    s.box((0, y * 0.75, 0), (x * 0.97, y * 0.5, z * 0.96), (0.75, 0.75, 0.78))
    s.box((-x * 0.4, y * 1.03, 0), (0.35, 0.1, z * 0.7), (0.9, 0.9, 0.9))
    s.box((-x / 2, y * 0.8, 0), (0.06, y * 1.6, z), BROWN, WOOD)


def _table(s: Shapes, x: float, y: float, z: float) -> None:
    _legs(s, x, y, z, BROWN)
    s.box((0, y - 0.025, 0), (x, 0.05, z), BROWN, WOOD)


def _fence(s: Shapes, x: float, y: float, z: float) -> None:
    for k in np.linspace(-z / 2, z / 2, max(2, round(z / 0.14))):
        s.rod((0, 0, k), (0, y, k), 0.014, STEEL)
    for k in np.linspace(-z / 2, z / 2, max(2, round(z / 1.6))):
        s.box((0, y / 2, k), (x, y, 0.08), (0.2, 0.22, 0.24))
    for h in (0.12, y - 0.06):
        s.box((0, h, 0), (0.05, 0.06, z), (0.3, 0.32, 0.34))


def _ladder(s: Shapes, x: float, y: float, z: float) -> None:
    for k in (-1, 1):
        s.box((0, y / 2, k * z / 2), (0.06, y, 0.05), (0.75, 0.5, 0.08))
    for h in np.arange(0.25, y, 0.28):
        s.rod((0, h, -z / 2), (0, h, z / 2), 0.02, STEEL)


def _box(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y / 2, 0), (x, y, z), (0.48, 0.30, 0.14))
    s.box((0, y / 2, 0), (x * 1.01, y * 1.01, 0.06), (0.65, 0.52, 0.3))


def _bag(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, -y / 2, 0), (x, y, z), (0.45, 0.06, 0.06))
    s.rod((0, 0, -z / 4), (0, 0.08, 0), 0.015, DARK)
    s.rod((0, 0, z / 4), (0, 0.08, 0), 0.015, DARK)


def _suitcase(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y * 0.31 + 0.02, 0), (x, y * 0.56, z), (0.05, 0.25, 0.3))
    for k in (-1, 1):
        s.rod((0, y * 0.55, k * z * 0.25), (0, y * 0.97, k * z * 0.25), 0.012, STEEL)
        s.rod((x / 2 - 0.03, 0.03, k * z * 0.4), (x / 2 - 0.03, 0.03, k * z * 0.4), 0.03, DARK)
    s.rod((0, y * 0.97, -z * 0.25), (0, y * 0.97, z * 0.25), 0.018, DARK)


def _ball(s: Shapes, x: float, y: float, z: float) -> None:
    s.rod((0, y / 2, 0), (0, y / 2, 0), y / 2, (0.85, 0.35, 0.05))


def _bicycle(s: Shapes, x: float, y: float, z: float) -> None:
    r, c = y * 0.31, (0.7, 0.05, 0.05)
    back, front, low, seat, head = (-x * 0.3, r), (x * 0.3, r), (-x * 0.03, r * 0.95), (-x * 0.12, y * 0.8), (x * 0.22, y * 0.82)
    for hub in (back, front):
        s.ring((*hub, 0), r - 0.02, 0.02, DARK)
    for a, b in ((back, low), (back, seat), (low, seat), (low, head), (seat, head), (head, front)):
        s.rod((*a, 0), (*b, 0), 0.02, c)
    s.rod((*seat, 0), (seat[0] + 0.1, y * 0.86, 0), 0.05, DARK)
    s.rod((head[0], y * 0.97, -z / 2), (head[0], y * 0.97, z / 2), 0.016, DARK)
    s.rod((*head, 0), (head[0], y * 0.97, 0), 0.016, DARK)


def _broom(s: Shapes, x: float, y: float, z: float) -> None:
    s.rod((0, -y * 0.65, 0), (0, y * 0.35, 0), 0.016, (0.6, 0.4, 0.15))
    s.box((0, -y * 0.65, 0), (x, 0.12, z), (0.7, 0.6, 0.1))


def _cart(s: Shapes, x: float, y: float, z: float) -> None:
    for h in np.linspace(0.3, y * 0.8, 5):
        for k in (-1, 1):
            s.rod((-x / 2, h, k * z / 2), (x / 2, h, k * z / 2), 0.012, STEEL)
            s.rod((k * x / 2, h, -z / 2), (k * x / 2, h, z / 2), 0.012, STEEL)
    s.box((0, 0.28, 0), (x, 0.04, z), STEEL)
    s.rod((-x / 2, y, -z / 2), (-x / 2, y, z / 2), 0.022, (0.7, 0.05, 0.05))
    for i in (-1, 1):
        for k in (-1, 1):
            s.rod((i * x * 0.42, 0.07, k * z * 0.42), (i * x * 0.42, 0.07, k * z * 0.42), 0.07, DARK)
            s.rod((i * x / 2, 0.1, k * z / 2), (i * x / 2, y * (0.8 if i > 0 else 1), k * z / 2), 0.014, STEEL)


def _punchbag(s: Shapes, x: float, y: float, z: float) -> None:
    s.rod((0, x / 2, 0), (0, y - x / 2, 0), x / 2, (0.45, 0.04, 0.04))
    s.rod((0, y, 0), (0, y + 0.9, 0), 0.015, STEEL)


def _held(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y / 4, 0), (max(x, 0.03), y, z), DARK)


def _cup(s: Shapes, x: float, y: float, z: float) -> None:
    s.rod((0, -y / 4, 0), (0, y / 4, 0), x / 2.4, (0.9, 0.9, 0.9))


def _house(s: Shapes, x: float, y: float, z: float) -> None:
    """A wall of a low house whose front is at x = 0, with a roof that juts out, a gutter, a door and windows."""
    s.box((x / 2, y / 2, 0), (x, y, z), (0.62, 0.52, 0.40), PLASTER)
    s.box((x / 2, 0.2, 0), (x + 0.06, 0.4, z + 0.06), (0.30, 0.29, 0.28), CONCRETE)
    s.box((x / 2 - 0.12, y + 0.06, 0), (x + 0.5, 0.12, z + 0.5), (0.22, 0.13, 0.10))
    s.rod((-0.30, y + 0.02, -z / 2 - 0.2), (-0.30, y + 0.02, z / 2 + 0.2), 0.06, (0.35, 0.36, 0.37))
    s.rod((-0.06, 0.1, z / 2 - 0.25), (-0.06, y, z / 2 - 0.25), 0.045, (0.35, 0.36, 0.37))
    for k in (-0.33, 0.30):
        s.box((-0.02, 1.65, k * z), (0.06, 1.25, 1.35), (0.80, 0.78, 0.74))
        s.box((-0.05, 1.65, k * z), (0.04, 1.08, 1.18), (0.10, 0.14, 0.19), GLOW)
        s.box((-0.07, 1.65, k * z), (0.04, 1.1, 0.05), (0.80, 0.78, 0.74))
        s.box((-0.09, 0.98, k * z), (0.22, 0.06, 1.5), (0.45, 0.43, 0.41))


def _plant(s: Shapes, x: float, y: float, z: float) -> None:
    s.rod((0, 0.12, 0), (0, 0.3, 0), x * 0.42, (0.35, 0.17, 0.10), x * 0.5)
    for k in range(9):
        turn, up = 2.4 * k, y * (0.62 + 0.05 * (k % 5))
        tip = (0.55 * x * np.cos(turn), up, 0.55 * z * np.sin(turn))
        s.rod((0, 0.35, 0), tip, 0.03, (0.06, 0.16, 0.05), 0.075)


def _bench(s: Shapes, x: float, y: float, z: float) -> None:
    for k in (-0.42, 0.42):
        s.box((0, y / 4, k * z), (x * 0.8, y / 2, 0.06), DARK)
    for k in (-0.3, 0.0, 0.3):
        s.box((k * x, y / 2, 0), (x * 0.26, 0.05, z), (0.33, 0.20, 0.09), WOOD)


def _poster(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y / 2, 0), (x, y, z), (0.12, 0.12, 0.13))
    s.box((-x, y / 2, 0), (x, y * 0.92, z * 0.92), (0.72, 0.70, 0.64))
    s.box((-1.2 * x, y * 0.62, 0), (x, y * 0.42, z * 0.7), (0.20, 0.33, 0.45))
    s.box((-1.2 * x, y * 0.22, 0), (x, y * 0.06, z * 0.6), (0.25, 0.25, 0.25))


def _pallet(s: Shapes, x: float, y: float, z: float) -> None:
    """Boxes stacked on a pallet."""
    s.box((0, 0.07, 0), (x, 0.12, z), (0.40, 0.28, 0.14), WOOD)
    for i, k, tall in ((-1, -1, 0.62), (-1, 1, 0.5), (1, -1, 0.4), (1, 1, 0.62)):
        s.box((i * x / 4, 0.13 + tall * y / 2, k * z / 4), (x * 0.47, tall * y, z * 0.46), (0.46 + 0.03 * i, 0.30 + 0.02 * k, 0.15))
        s.box((i * x / 4, 0.13 + tall * y / 2, k * z / 4), (x * 0.475, tall * y * 1.01, 0.05), (0.6, 0.5, 0.33))


def _bin(s: Shapes, x: float, y: float, z: float) -> None:
    s.box((0, y * 0.48, 0), (x, y * 0.88, z), (0.05, 0.14, 0.09))
    s.box((0.02, y * 0.95, 0), (x * 1.1, y * 0.07, z * 1.08), (0.04, 0.11, 0.07))


DRAW = {"chair": _chair, "stool": _stool, "sofa": _sofa, "bed": _bed, "table": _table, "desk": _table, "fence": _fence,
        "ladder": _ladder, "box": _box, "bag": _bag, "suitcase": _suitcase, "ball": _ball, "bicycle": _bicycle, "broom": _broom,
        "cart": _cart, "punchbag": _punchbag, "phone": _held, "cup": _cup,
        "house": _house, "plant": _plant, "bench": _bench, "poster": _poster, "pallet": _pallet, "bin": _bin}
