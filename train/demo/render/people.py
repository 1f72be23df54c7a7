"""A person as capsules around the joints."""

import numpy as np

from ..stage import JOINTS, Actor
from .look import Clothes
from .meshes import CAPSULE_FLOATS

J = {name: i for i, name in enumerate(JOINTS)}


def person_rows(actor: Actor, wear: Clothes) -> np.ndarray:
    """(frames, n, 11) capsule rows; radii are for 1.75 m and grow with the height."""
    p = {name: actor.joints[:, i].astype(np.float32) for name, i in J.items()}
    scale, rows = actor.height / 1.75, []

    def rod(a: np.ndarray, b: np.ndarray, ra: float, rb: float, colour: np.ndarray, girth: bool = True) -> None:  # noqa: PLR0917
        grow = scale * (wear.girth if girth else 1.0)
        row = np.empty((len(a), CAPSULE_FLOATS), np.float32)
        row[:, :3], row[:, 3:6], row[:, 6], row[:, 7], row[:, 8:] = a, b, ra * grow, rb * grow, colour
        rows.append(row)

    chest = p["neck"] * 0.75 + p["pelvis"] * 0.25
    for side in ("left", "right"):
        shoulder, elbow, hand = (p[f"{side}_{x}"] for x in ("shoulder", "elbow", "hand"))
        hip, knee, ankle, toe = (p[f"{side}_{x}"] for x in ("hip", "knee", "ankle", "toe"))
        wrist = elbow + (hand - elbow) * 0.82
        rod(shoulder, elbow, 0.058, 0.046, wear.shirt)
        rod(elbow, wrist, 0.044, 0.032, wear.shirt if wear.long_sleeves else wear.skin)
        rod(wrist, hand, 0.036, 0.046, wear.skin, False)
        rod(hip, knee, 0.088, 0.062, wear.trousers)
        rod(knee, ankle, 0.060, 0.045, wear.trousers)
        rod(ankle, toe, 0.050, 0.042, wear.shoes, False)
        rod(chest * 0.6 + shoulder * 0.4, p["pelvis"] * 0.55 + hip * 0.45, 0.108, 0.105, wear.shirt)
        rod(p["neck"], shoulder, 0.062, 0.060, wear.shirt)
        rod(p["pelvis"], hip, 0.108, 0.092, wear.trousers)
    head, crown, face = p["head"], p["crown"], p["face"]
    ahead = (face - head) / np.maximum(np.linalg.norm(face - head, axis=-1, keepdims=True), 1e-6)
    up = (crown - head) / np.maximum(np.linalg.norm(crown - head, axis=-1, keepdims=True), 1e-6)
    side = np.cross(ahead, up)
    rod(p["neck"], head, 0.055, 0.055, wear.skin, False)
    rod(head - up * 0.03 * scale, head + up * 0.04 * scale, 0.088, 0.100, wear.skin, False)
    back = head - ahead * 0.034 * scale
    rod(back + up * 0.035 * scale, back + up * 0.05 * scale, 0.108, 0.112, wear.hair, False)
    if wear.long_hair:
        rod(back, back - up * 0.16 * scale - ahead * 0.03 * scale, 0.095, 0.06, wear.hair, False)
    rod(head + ahead * 0.085 * scale, head + ahead * 0.115 * scale - up * 0.02 * scale, 0.016, 0.018, wear.skin * 0.85, False)
    for s in (-1, 1):
        eye = head + (ahead * 0.086 + up * 0.02 + side * s * 0.036) * scale
        rod(eye, eye, 0.016, 0.016, (0.02, 0.02, 0.02), False)
    return np.stack(rows, 1)
