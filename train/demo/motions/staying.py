"""What people do on the spot: standing, sitting, sitting down, waving, holding both hands up; and scenes with nobody in them."""

from collections.abc import Callable

import numpy as np

from demo.motions.parts import Play, anybody, arm, breathe, drift, ease, foot_down, hold, shown, thing, upright
from demo.motions.parts import wave as swung
from demo.skeleton import FLESH, HIP_DROP, LEFT, RIGHT, THIGH, Body, Pose, mix, rotation, unit
from demo.stage import THINGS, Thing

SIDES = ((LEFT, -1), (RIGHT, 1))  # and the sign of z on that side
# Top of the seat and front of the back rest, metres in the thing's own frame, as the renderer draws them at usual size.
SEATS = {"chair": (0.475, -0.18), "stool": (0.46, None), "sofa": (0.42, -0.27)}
LONELY = {"chair": 1.0, "box": 1.0, "bicycle": 1.0, "ladder": 0.75, "fence": 1.0, "table": 0.9, "cart": 1.0, "suitcase": 1.0,
          "bag": 1.0, "ball": 1.0}  # fmt: skip


def placed(pose: Pose, things: list[Thing], yaw: float, offset: tuple | np.ndarray = (0, 0, 0)) -> tuple[Pose, list[Thing]]:
    """A pose and its things turned left together by yaw degrees about the origin, and then moved by offset."""
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = rotation(np.array(yaw)), offset
    out = [Thing(x.kind, (whole @ x.pose).astype(np.float32), x.size) for x in things]
    return pose.moved(np.asarray(offset, float), yaw), out


def stance(rng: np.random.Generator, t: np.ndarray, body: Body, ease_of: float = 1.0) -> Pose:
    """Standing with the feet somehow apart and the weight perhaps on one leg; ease_of 0 stands straight."""
    pose = upright(body, len(t))
    apart, ahead, lean = rng.uniform(0.0, 0.09), rng.uniform(-0.08, 0.08), ease_of * rng.uniform(-1, 1)
    for side, sign in SIDES:
        foot_down(body, pose, side, sign * ahead, sign * (body.hips + apart), yaw=-sign * rng.uniform(3, 22))
    # As high as the leg that reaches farthest lets it; 0.993 of its length keeps the knee from locking.
    farthest = (apart + abs(0.035 * lean) + 0.02) ** 2 + ahead**2
    pose.pelvis[:, 1] = body.ankle + HIP_DROP * body.height + ((0.993 * body.leg) ** 2 - farthest) ** 0.5
    pose.pelvis[:, 2] += 0.035 * lean
    pose.turn[:, 2] = -3.0 * lean
    pose.chest[:, 1] = 4.0 * lean
    pose.chest[:, 0] = rng.uniform(-1, 5)
    pose.head[:, 0] = rng.uniform(-4, 8)
    pose.pelvis[:, 2] += 0.012 * ease_of * drift(rng, t, 0.04, 0.16)
    return pose


def stand(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Stands still: arms hanging, folded, on the hips, or hands in front or behind."""
    body, yaw, arms = anybody(rng), rng.uniform(0, 360), REST[rng.integers(len(REST))]
    pose = stance(rng, t, body)
    arms(rng, pose)
    breathe(pose, t, rng)
    pose, _ = placed(pose, [], yaw)
    return Play(shown(t, "stand"), [(body, pose)])


def _hanging(rng: np.random.Generator, pose: Pose) -> None:
    for side, _ in SIDES:
        arm(pose, side, rng.uniform(-4, 8), rng.uniform(6, 13), rng.uniform(5, 22), across=rng.uniform(2, 10))


def _folded(rng: np.random.Generator, pose: Pose) -> None:
    """Forearms across the chest, one above the other."""
    over = rng.integers(2)
    for side, _ in SIDES:
        arm(pose, side, 12, 5, 88 if side == over else 64, across=-74)


def _on_hips(rng: np.random.Generator, pose: Pose) -> None:
    back = rng.uniform(-0.6, -0.1)
    for side, sign in SIDES:
        pose.hand[:, side] = 0.08, -0.55, 0.0
        pose.elbow[:, side] = unit(np.array([back, -0.1, sign]))


def _in_front(rng: np.random.Generator, pose: Pose) -> None:
    low = rng.uniform(-0.74, -0.60)
    for side, sign in SIDES:
        pose.hand[:, side] = 0.26, low, -sign * 0.27
        pose.elbow[:, side] = unit(np.array([-0.5, -0.1, 0.8 * sign]))


def _behind(rng: np.random.Generator, pose: Pose) -> None:
    low = rng.uniform(-0.70, -0.58)
    for side, sign in SIDES:
        pose.hand[:, side] = -0.24, low, -sign * 0.26
        pose.elbow[:, side] = unit(np.array([-0.4, 0.0, sign]))


REST: tuple[Callable[[np.random.Generator, Pose], None], ...] = (_hanging, _hanging, _folded, _on_hips, _in_front, _behind)


def _waving(rng: np.random.Generator, t: np.ndarray, pose: Pose, side: int) -> None:
    """One arm up and its hand waving: from the elbow beside the head, or the whole arm above it."""
    hertz, phase, style = rng.uniform(1.05, 1.6), rng.random() + 0.12 * drift(rng, t, 0.1, 0.4), rng.random()
    swing, beat = rng.uniform(5, 25), swung(t, hertz, phase)
    sway = rng.uniform(0.8, 1.2)
    if style < 0.6:
        arm(pose, side, swing, rng.uniform(75, 105) + 6 * beat, 8, across=168 - 42 * sway * beat)
    else:
        arm(pose, side, swing, 140 - 22 * sway * beat, 4, across=156 - 40 * sway * beat)
    sign = 2 * side - 1
    pose.chest[:, 1] += sign * (-4 + 2.0 * beat)
    pose.head[:, 0] -= 4


def wave(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Stands with one hand waving above the shoulder all the time."""
    body, side, yaw = anybody(rng), int(rng.integers(2)), rng.uniform(0, 360)
    pose = stance(rng, t, body)
    if rng.random() < 0.3:
        _on_hips(rng, pose)
    breathe(pose, t, rng, 0.7)
    _waving(rng, t, pose, side)
    pose, _ = placed(pose, [], yaw)
    return Play(shown(t, "wave"), [(body, pose)])


def hands_up(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Both arms are raised high and held there, straight up or bent beside the head."""
    body, yaw, straight = anybody(rng), rng.uniform(0, 360), rng.uniform(0, 1)
    pose = stance(rng, t, body, 0.4)
    pose.head[:, 0] -= rng.uniform(0, 10)
    breathe(pose, t, rng, 0.8)
    for side, _ in SIDES:
        tired = 3 * drift(rng, t)
        high = 108 + 46 * straight + rng.uniform(-5, 5) + tired
        arm(pose, side, rng.uniform(0, 18), high, 6, across=np.minimum(high + 62 - 55 * straight, 178))
    pose, _ = placed(pose, [], yaw)
    return Play(shown(t, "armsup"), [(body, pose)])


def sit(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Sits on a chair, a stool or a sofa all the time."""
    body, yaw = anybody(rng), rng.uniform(0, 360)
    kind = str(rng.choice(("chair", "chair", "stool", "sofa")))
    deep, tall, long = (0.84, 0.9, rng.uniform(0.5, 0.8)) if kind == "sofa" else (1.0, 1.0, 1.0)
    seat, rest = SEATS[kind]
    pose = seated(rng, t, body, seat * tall, None if rest is None else rest * deep)
    things = [thing(kind, len(t), scale=(deep, tall, long))]
    pose, things = placed(pose, things, yaw)
    return Play(shown(t, "sit"), [(body, pose)], things)


def sit_down(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Stands before a chair or a stool and sits down on it at `at`. Backwards it is somebody who gets up; it is in no training."""
    body, yaw, span = anybody(rng), rng.uniform(0, 360), float(t[-1] - t[0])
    at = float(t[0]) + rng.uniform(0.25, 0.5) * span if at is None else at
    kind, last = str(rng.choice(("chair", "stool"))), rng.uniform(1.0, 1.6)
    down = seated(rng, t, body, *SEATS[kind])
    before = upright(body, len(t))
    breathe(before, t, rng)
    down = mix(before.moved(np.array([0.42, 0.0, 0.0]), 0.0), down, ease(t, at, last))
    pose, things = placed(down, [thing(kind, len(t))], yaw)
    return Play(shown(t, "stand", (at + 0.2 * last, "halfsit"), (at + 0.8 * last, "sit")), [(body, pose)], things)


def seated(rng: np.random.Generator, t: np.ndarray, body: Body, seat: float, rest: float | None) -> Pose:
    """Sitting with the seat's top at height seat and the back rest, if any, at x = rest, metres."""
    h, pose = body.height, upright(body, len(t))
    lean = rng.uniform(-2, 22) if rest is None else rng.uniform(-14, 14)
    far = 0.15 * h if rest is not None and rest < -0.2 else 0.07 * h
    x = 0.0 if rest is None else rest + far + 0.02 + 0.13 * max(-lean, 0) / 14
    pose.pelvis[:, 0], pose.pelvis[:, 1] = x, seat + FLESH["pelvis"] * h + 0.01
    pose.turn[:, 1], pose.chest[:, 0], pose.head[:, 0] = 0.6 * lean, 0.4 * lean + 3, -0.4 * lean + rng.uniform(-2, 10)
    breathe(pose, t, rng, 0.6)
    pose.pelvis[:, [0, 2]] = x, 0.0
    _seated_legs(rng, body, pose, x)
    _seated_hands(rng, t, body, pose)
    return pose


def _seated_legs(rng: np.random.Generator, body: Body, pose: Pose, x: float) -> None:
    """Both feet on the ground, or one leg over the other."""
    h, apart, ahead = body.height, rng.uniform(0.0, 0.10), rng.uniform(-0.03, 0.13)
    knee = x + THIGH * h
    for side, sign in SIDES:
        foot, out = knee + ahead + rng.uniform(-0.04, 0.04), rng.uniform(0, 15)
        foot_down(body, pose, side, foot, sign * (body.hips + apart), yaw=-sign * out)
        pose.knee[:, side] = unit(np.array([1.0, 0.6, 0.1 * sign]))
    crossed, side, seat = rng.random(), int(rng.integers(2)), float(pose.pelvis[0, 1])
    sign = 2 * side - 1
    if crossed < 0.2:  # knee over knee
        pose.ankle[:, side] = knee + 0.10, seat - 0.10 * h, -sign * (body.hips + apart)
        pose.knee[:, side] = unit(np.array([0.6, 1.0, 0.0]))
        pose.toe[:, side] = unit(np.array([1.0, -0.5, -0.2 * sign]))
    elif crossed < 0.35:  # ankle on knee
        pose.ankle[:, side] = knee - 0.03, seat + 0.03 * h, -sign * (body.hips + apart)
        pose.knee[:, side] = unit(np.array([0.5, 0.25, sign]))
        pose.toe[:, side] = unit(np.array([0.3, -0.2, -sign]))


def _seated_hands(rng: np.random.Generator, t: np.ndarray, body: Body, pose: Pose) -> None:
    """On the thighs, together in the lap, or folded."""
    h, style, near = body.height, rng.random(), rng.uniform(0.11, 0.19)
    middle = pose.pelvis + h * np.array([near, 0.062, 0.0])
    stir = 0.012 * np.stack([drift(rng, t), 0 * t, drift(rng, t)], -1)
    for side, sign in SIDES:
        wide = (body.hips + 0.03 if style < 0.55 else 0.035) * sign
        if style < 0.8:
            hold(pose, side, middle + stir + np.array([0.0, 0.0 if style < 0.55 else 0.02, wide]))
        pose.elbow[:, side] = unit(np.array([-0.6, -0.4, 0.6 * sign]))
    if style >= 0.8:
        _folded(rng, pose)


def empty(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Nobody, and now and then a few things that stand about."""
    count, things = int(rng.choice((0, 1, 1, 2))), []
    for i, kind in enumerate(rng.permutation(list(LONELY))[:count]):
        lift = THINGS["bag"][1] if kind == "bag" else 0.0  # a bag's origin is its grip
        where = rng.uniform(-0.3, 0.3), lift, (1 - 2 * i) * rng.uniform(0.1, 0.9)
        things.append(thing(str(kind), len(t), where, rotation(rng.uniform(0, 360)), LONELY[str(kind)]))
    return Play(shown(t, "empty"), [], things)
