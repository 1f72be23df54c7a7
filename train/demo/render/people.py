"""A person as capsules around the joints."""

from collections.abc import Callable

import numpy as np

from ..stage import JOINTS, Actor
from .look import Clothes
from .meshes import CAPSULE_FLOATS

J = {name: i for i, name in enumerate(JOINTS)}


# Joints and radii in metres of what darkens the ground around a body.
NEAR = (("pelvis", 0.16), ("neck", 0.16), ("head", 0.11), ("left_hand", 0.06), ("right_hand", 0.06), ("left_knee", 0.10),
        ("right_knee", 0.10), ("left_ankle", 0.09), ("right_ankle", 0.09), ("left_toe", 0.07), ("right_toe", 0.07))


def near_spheres(actor: Actor, frame: int) -> np.ndarray:
    """(n, 4) centres and radii of a body in a frame."""
    return np.array([[*actor.joints[frame, J[name]], radius] for name, radius in NEAR])


def person_rows(actor: Actor, wear: Clothes, fine: bool = False) -> np.ndarray:
    """(frames, n, 11) capsule rows; radii are for 1.75 m and grow with the height. fine closes waists, adds hats and vests."""
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
    if fine:
        _trunk(rod, p, wear)
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
    if fine and wear.hat is not None:
        rod(head + up * 0.055 * scale, head + up * 0.085 * scale, 0.122, 0.100, wear.hat, False)
        rod(head + (up * 0.075 + ahead * 0.05) * scale, head + (up * 0.065 + ahead * 0.13) * scale, 0.06, 0.045, wear.hat, False)
    for s in (-1, 1):
        eye = head + (ahead * 0.086 + up * 0.02 + side * s * 0.036) * scale
        rod(eye, eye, 0.016, 0.016, (0.02, 0.02, 0.02), False)
    return np.stack(rows, 1)


def _trunk(rod: Callable[..., None], p: dict[str, np.ndarray], wear: Clothes) -> None:
    """What fills the trunk between the outlines, so that it tears at no waist or hip however it bends."""
    neck, pelvis = p["neck"], p["pelvis"]
    chest, waist = neck * 0.72 + pelvis * 0.28, neck * 0.30 + pelvis * 0.70
    over, thick = (wear.shirt, 0.112) if wear.vest is None else (wear.vest, 0.118)
    rod(chest, waist, 0.125, 0.116, over)
    rod(waist, pelvis * 0.88 + neck * 0.12, 0.118, 0.112, wear.shirt)
    for side in ("left", "right"):
        shoulder, hip, knee = (p[f"{side}_{x}"] for x in ("shoulder", "hip", "knee"))
        flank = waist + 0.75 * (hip - pelvis)
        rod(chest * 0.55 + shoulder * 0.45, flank, thick, 0.100, over)
        rod(flank, pelvis * 0.45 + hip * 0.55 + 0.06 * (neck - pelvis), 0.102, 0.106, wear.shirt)
        rod(hip + 0.02 * (neck - pelvis), hip + 0.25 * (knee - hip), 0.102, 0.092, wear.trousers)
        rod(shoulder, shoulder, 0.068, 0.068, wear.shirt)
