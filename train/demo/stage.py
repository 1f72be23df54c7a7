"""What a rendered clip is made of: people as joints, things as boxes of a kind, and the time of every frame.

Motions write takes and the renderer draws them; neither knows the other.

The world is right-handed and in metres: y is up, the ground is y = 0, a person at yaw 0 faces +x and has the left hand at -z.
"""

from dataclasses import dataclass, field

import numpy as np

JOINTS = (
    "pelvis", "neck", "head",
    "left_shoulder", "left_elbow", "left_hand",
    "right_shoulder", "right_elbow", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_toe",
    "right_hip", "right_knee", "right_ankle", "right_toe",
    "face", "crown",
)

# Size of a thing along its own x (front), y (up) and z (right), in metres, before a take scales it.
# The origin of a thing is the middle of its underside, but for what is held in a hand: there it is the grip.
THINGS = {
    "chair": (0.46, 0.90, 0.46), "stool": (0.36, 0.46, 0.36), "sofa": (0.90, 0.85, 1.90), "bed": (2.00, 0.55, 1.40),
    "table": (0.80, 0.74, 1.40), "desk": (0.70, 0.74, 1.30), "fence": (0.08, 1.60, 5.00), "ladder": (0.10, 3.20, 0.50),
    "box": (0.36, 0.32, 0.46), "bag": (0.22, 0.32, 0.45), "suitcase": (0.26, 1.05, 0.42), "ball": (0.22, 0.22, 0.22),
    "bicycle": (1.70, 1.05, 0.55), "broom": (0.06, 1.45, 0.30), "cart": (0.90, 1.00, 0.55), "punchbag": (0.36, 1.10, 0.36),
    "phone": (0.02, 0.15, 0.07), "cup": (0.08, 0.10, 0.08),
    # These stand in films only.
    "house": (4.0, 3.5, 11.0), "plant": (0.45, 1.25, 0.45), "bench": (0.45, 0.90, 1.60), "poster": (0.03, 0.90, 1.25),
    "pallet": (1.10, 1.20, 0.90), "bin": (0.60, 1.05, 0.58),
}


@dataclass
class Actor:
    """One person: joints is (frames, len(JOINTS), 3) float32 in world metres, height the standing height in metres."""

    joints: np.ndarray
    height: float


@dataclass
class Thing:
    """One object: pose is (frames, 4, 4) float32, world from thing; size is its extent in metres along its own axes."""

    kind: str
    pose: np.ndarray
    size: tuple[float, float, float]


@dataclass
class Take:
    """One performance. times is (frames,) in seconds; an empty scene has neither actors nor things."""

    action: str
    times: np.ndarray
    actors: list[Actor] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
