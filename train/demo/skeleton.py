"""A body of a given height, and the joints of its poses.

A pose says where pelvis, hands and ankles are and how trunk and head are turned; two-bone inverse kinematics finds elbows, knees.
So poses blend by plain mixing, every bone keeps its length, and what stands on the ground or holds a thing stays there.

Frame of a pose: metres, x forward, y up, z right. Angles are in degrees. The first axis is time, (frames, ...).
"""

from dataclasses import dataclass, fields

import numpy as np

from demo.stage import JOINTS

INDEX = {name: i for i, name in enumerate(JOINTS)}
LEFT, RIGHT = 0, 1

# Fractions of standing height: Drillis and Contini (1966), as in Winter, "Biomechanics and Motor Control of Human Movement", 4.1.
# Half widths are of joint centres, which lie inside the drawn outline; the hand's joint is the middle of the hand.
THIGH, SHANK, ANKLE = 0.245, 0.246, 0.039
UPPER_ARM, FOREARM = 0.186, 0.146 + 0.054
HALF_HIPS, HALF_SHOULDERS, HIP_DROP = 0.054, 0.112, 0.02
LUMBAR, THORAX, SHOULDER_DROP = 0.100, 0.185, 0.018
NECK_HEAD, HEAD_CROWN, HEAD_FACE = 0.098, 0.067, 0.055
FOOT = 0.113  # ankle to ball of the foot
FOOT_DROP = 0.027 / FOOT  # sine of the slope from ankle to ball when the foot is flat

# Flexion that a joint allows, degrees (knee and elbow: American Academy of Orthopaedic Surgeons, 135-150).
MAX_FLEXION = 148.0
# How far a joint's centre lies above what it rests on, as a fraction of height.
FLESH = {"pelvis": 0.055, "neck": 0.045, "head": 0.055, "shoulder": 0.04, "elbow": 0.022, "hand": 0.02, "hip": 0.045, "knee": 0.03,
         "ankle": 0.024, "toe": 0.012, "face": 0.02, "crown": 0.02}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """Lengths of one person, in metres."""

    height: float

    @property
    def leg(self) -> float:
        return (THIGH + SHANK) * self.height

    @property
    def arm(self) -> float:
        return (UPPER_ARM + FOREARM) * self.height

    @property
    def ankle(self) -> float:
        """Height of the ankle when the foot is flat on the ground."""
        return ANKLE * self.height

    @property
    def stand(self) -> float:
        """Height of the pelvis when standing at ease, knees hardly bent."""
        return (HIP_DROP + ANKLE + 0.988 * (THIGH + SHANK)) * self.height

    @property
    def hips(self) -> float:
        return HALF_HIPS * self.height


@dataclass
class Pose:
    """What a body does in every frame.

    pelvis (F, 3); turn (F, 4): yaw (left), pitch (forward), roll (right), spin about the own long axis, of the pelvis;
    chest (F, 3): pitch, roll, twist (left) over the pelvis; head (F, 3): pitch, roll, twist over the chest.
    hand (F, 2, 3): from the shoulder, in the chest's frame, in arm lengths; elbow (F, 2, 3): where the elbow points, chest's frame.
    reach (F, 2, 3): where a hand that holds something is; hold (F, 2): 1 holds it, 0 hangs free.
    ankle (F, 2, 3); knee (F, 2, 3): where the knee points, pelvis's frame; toe (F, 2, 3): from ankle to ball, pose's frame.
    """

    pelvis: np.ndarray
    turn: np.ndarray
    chest: np.ndarray
    head: np.ndarray
    hand: np.ndarray
    elbow: np.ndarray
    reach: np.ndarray
    hold: np.ndarray
    ankle: np.ndarray
    knee: np.ndarray
    toe: np.ndarray

    def copy(self) -> "Pose":
        return Pose(**{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def moved(self, offset: np.ndarray, yaw: float) -> "Pose":
        """The same pose turned left by yaw degrees about the vertical at the origin, and then moved by offset (3,) or (F, 3)."""
        out, r = self.copy(), rotation(np.array(yaw))
        shift = np.broadcast_to(offset, out.pelvis.shape)
        out.pelvis = out.pelvis @ r.T + shift
        out.turn[:, 0] += yaw
        out.reach = out.reach @ r.T + shift[:, None]
        out.ankle = out.ankle @ r.T + shift[:, None]
        out.toe = out.toe @ r.T
        return out


def mix(a: Pose, b: Pose, share: np.ndarray) -> Pose:
    """The pose that is a where share (F,) is 0 and b where it is 1."""
    out = {}
    for f in fields(a):
        x, y = getattr(a, f.name), getattr(b, f.name)
        w = share.reshape(-1, *[1] * (x.ndim - 1))
        out[f.name] = x * (1 - w) + y * w
    # A hand that holds in only one of the two poses keeps that one's point, or it would be dragged through the room.
    w = np.stack([a.hold * (1 - share[:, None]), b.hold * share[:, None]])
    total = np.maximum(w.sum(0), 1e-9)[..., None]
    out["reach"] = np.where(total > 1e-8, (a.reach * w[0][..., None] + b.reach * w[1][..., None]) / total, out["reach"])
    return Pose(**out)


def rotation(yaw: np.ndarray, pitch: np.ndarray = 0.0, roll: np.ndarray = 0.0, spin: np.ndarray = 0.0) -> np.ndarray:
    """(..., 3, 3): spin about the body's up, then roll to the right, pitch forward, and yaw to the left, degrees."""
    yaw, pitch, roll, spin = np.broadcast_arrays(*(np.radians(np.asarray(v, float)) for v in (yaw, pitch, roll, spin)))
    return _about_y(yaw) @ _about_z(-pitch) @ _about_x(roll) @ _about_y(spin)


def _about_y(a: np.ndarray) -> np.ndarray:
    c, s, o, i = np.cos(a), np.sin(a), np.zeros_like(a), np.ones_like(a)
    return np.stack([c, o, s, o, i, o, -s, o, c], -1).reshape(*a.shape, 3, 3)


def _about_z(a: np.ndarray) -> np.ndarray:
    c, s, o, i = np.cos(a), np.sin(a), np.zeros_like(a), np.ones_like(a)
    return np.stack([c, -s, o, s, c, o, o, o, i], -1).reshape(*a.shape, 3, 3)


def _about_x(a: np.ndarray) -> np.ndarray:
    c, s, o, i = np.cos(a), np.sin(a), np.zeros_like(a), np.ones_like(a)
    return np.stack([i, o, o, o, c, -s, o, s, c], -1).reshape(*a.shape, 3, 3)


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def two_bones(root: np.ndarray, target: np.ndarray, pole: np.ndarray, first: float, second: float) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint, each (F, 3), of two bones from root to target, the middle one bending towards pole.

    A target out of reach is approached smoothly, so that a limb never snaps straight.
    """
    total = first + second
    least = np.sqrt(first**2 + second**2 - 2 * first * second * np.cos(np.radians(180 - MAX_FLEXION)))
    line = target - root
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    direction = line / np.maximum(distance, 1e-9)
    soft = 0.02 * total
    near = np.maximum((distance - (total - soft)) / soft, 0)
    distance = np.where(near > 0, total - soft * np.exp(-np.maximum(near, 0)), np.maximum(distance, least))
    distance = np.minimum(distance, total * 0.9995)
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    out = np.sqrt(np.maximum(first**2 - along**2, 0))
    side = unit(pole - (pole * direction).sum(-1, keepdims=True) * direction)
    return root + along * direction + out * side, root + distance * direction


def solve(body: Body, pose: Pose) -> np.ndarray:
    """(F, len(JOINTS), 3) joints of a pose, in the pose's frame; lifted where flesh would be under the ground."""
    h, at = body.height, {}
    hips_turn = rotation(*pose.turn.T)
    chest_turn = hips_turn @ rotation(0.0, pose.chest[:, 0], pose.chest[:, 1], pose.chest[:, 2])
    head_turn = chest_turn @ rotation(0.0, pose.head[:, 0], pose.head[:, 1], pose.head[:, 2])
    at["pelvis"] = pose.pelvis
    at["neck"] = pose.pelvis + h * (LUMBAR * hips_turn[..., 1] + THORAX * chest_turn[..., 1])
    at["head"] = at["neck"] + h * NECK_HEAD * (0.5 * chest_turn[..., 1] + 0.5 * head_turn[..., 1])
    at["head"] = at["neck"] + h * NECK_HEAD * unit(at["head"] - at["neck"])
    at["face"] = at["head"] + h * (HEAD_FACE * head_turn[..., 0] - 0.012 * head_turn[..., 1])
    at["crown"] = at["head"] + h * HEAD_CROWN * head_turn[..., 1]
    for i, side in enumerate(("left", "right")):
        sign = 2 * i - 1
        shoulder = at["neck"] + h * (sign * HALF_SHOULDERS * chest_turn[..., 2] - SHOULDER_DROP * chest_turn[..., 1])
        free = shoulder + body.arm * np.einsum("fij,fj->fi", chest_turn, pose.hand[:, i])
        target = free + pose.hold[:, i, None] * (pose.reach[:, i] - free)
        pole = np.einsum("fij,fj->fi", chest_turn, pose.elbow[:, i])
        at[f"{side}_shoulder"] = shoulder
        at[f"{side}_elbow"], at[f"{side}_hand"] = two_bones(shoulder, target, pole, UPPER_ARM * h, FOREARM * h)
        hip = pose.pelvis + h * (sign * HALF_HIPS * hips_turn[..., 2] - HIP_DROP * hips_turn[..., 1])
        pole = np.einsum("fij,fj->fi", hips_turn, pose.knee[:, i])
        at[f"{side}_hip"] = hip
        at[f"{side}_knee"], at[f"{side}_ankle"] = two_bones(hip, pose.ankle[:, i], pole, THIGH * h, SHANK * h)
        at[f"{side}_toe"] = at[f"{side}_ankle"] + FOOT * h * unit(pose.toe[:, i])
    joints = np.stack([at[name] for name in JOINTS], 1)
    depth = np.array([FLESH[name.split("_")[-1]] for name in JOINTS]) * h
    joints[..., 1] += np.maximum((depth - joints[..., 1]).max(1, keepdims=True), 0)
    return joints
