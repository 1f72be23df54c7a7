"""Going on foot along any path: feet are planted while they bear weight, so they do not slide."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.motions.parts import FLAT, arm, ease, keys, upright
from demo.skeleton import FOOT, LEFT, RIGHT, Body, Pose, rotation

# Where one is at times (F,): x, z in metres and yaw in degrees, each (F,). Must be smooth and defined for every time.
Path = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass
class Gait:
    """How somebody goes: period in seconds of two steps, share of it a foot is down, metres, degrees."""

    period: float
    phase: float
    down: float = 0.60
    lift: float = 0.06
    kick: float = 45.0  # heel raised when the foot leaves
    width: float = 0.02
    dip: float = 0.03  # pelvis below standing
    bounce: float = 0.018
    lean: float = 3.0
    swing: float = 26.0  # arms, degrees each way at full speed
    bend: float = 16.0  # elbows
    pace: float = 1.4  # metres a second at which arms swing in full


def straight(speed: float, yaw: float = 0.0, start: float = 0.0) -> Path:
    """From the origin at time start on, at one speed."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return lambda t: (speed * (t - start) * c, -speed * (t - start) * s, np.full_like(t, yaw))


def arc(speed: float, radius: float) -> Path:
    """A circle; a positive radius turns left."""

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a = speed * t / radius
        return radius * np.sin(a), -radius * (1 - np.cos(a)), np.degrees(a)

    return path


def eased(path: Path, stops: list[tuple[float, float]], ramp: float = 0.7) -> Path:
    """The path walked only within stretches (start, end) of time, standing between them; own time runs on while walking."""

    def clock(t: np.ndarray) -> np.ndarray:
        return sum(_ramped(t - a, ramp) - _ramped(t - b, ramp) for a, b in stops)

    return lambda t: path(clock(t))


def _ramped(t: np.ndarray, ramp: float) -> np.ndarray:
    """Integral of a speed that grows from 0 to 1 over ramp seconds centred on 0."""
    u = np.clip(t / ramp + 0.5, 0, 1)
    return ramp * (u**3 - u**4 / 2) + np.maximum(t - ramp / 2, 0)


def stroller(rng: np.random.Generator, speed: float, body: Body) -> Gait:
    """A way of walking drawn for a speed; longer legs and faster walkers take longer steps."""
    stride = body.height * rng.uniform(0.70, 0.80) * (speed / 1.35) ** 0.5
    return Gait(stride / speed, rng.random(), lift=rng.uniform(0.05, 0.09), kick=rng.uniform(35, 55), width=rng.uniform(0.0, 0.04),
                lean=rng.uniform(0, 7), swing=rng.uniform(18, 34), bend=rng.uniform(8, 30), pace=speed)  # fmt: skip


def runner(rng: np.random.Generator, speed: float, body: Body) -> Gait:
    return Gait(rng.uniform(0.64, 0.74), rng.random(), down=0.34, lift=0.30 + 0.02 * speed, kick=80.0, width=-0.03, dip=0.06,
                bounce=-rng.uniform(0.035, 0.05), lean=rng.uniform(9, 17), swing=rng.uniform(42, 58), bend=rng.uniform(80, 100),
                pace=speed)  # fmt: skip


def go(body: Body, gait: Gait, path: Path, t: np.ndarray) -> Pose:
    """Walking or running along path. Steps become small where the path slows, and stop where it stops."""
    pose = upright(body, len(t))
    x, z, yaw = path(t)
    step = gait.period / 8
    ahead, behind = path(t + step), path(t - step)
    speed = np.hypot(ahead[0] - behind[0], ahead[1] - behind[1]) / (2 * step)
    vigour = np.clip(speed / gait.pace, 0, 1.2)
    cycle = t / gait.period + gait.phase
    for side in (LEFT, RIGHT):
        _foot(body, pose, side, gait=gait, path=path, cycle=cycle + 0.5 * side)
    # The body is lowest while both feet are down in walking, and in the middle of the stance in running (bounce below 0).
    pose.pelvis[:, 0], pose.pelvis[:, 2], pose.turn[:, 0] = x, z, yaw
    wag = np.cos(2 * np.pi * (cycle - gait.down / 2))  # 1 while the left foot is under the body
    pose.pelvis[:, 1] -= vigour * (gait.dip - gait.bounce * np.cos(4 * np.pi * (cycle - gait.down / 2)))
    side_step = 0.018 * vigour * wag
    right = rotation(yaw)[..., 2]
    pose.pelvis -= side_step[:, None] * right
    stride = np.sin(2 * np.pi * (cycle - gait.down / 2 + 0.0))  # falls with the left foot ahead at -1
    pose.turn[:, 0] += 6 * vigour * stride
    pose.turn[:, 1] = 0.4 * gait.lean * vigour
    pose.chest[:, 0] = 0.6 * gait.lean * vigour
    pose.chest[:, 2] = -11 * vigour * stride
    pose.head[:, 0] = -0.7 * gait.lean * vigour
    for side, sign in ((LEFT, 1), (RIGHT, -1)):
        swing = sign * gait.swing * vigour * stride
        arm(pose, side, swing + 3, 8, gait.bend * (0.4 + 0.6 * vigour) + 0.5 * np.maximum(swing, 0), across=3 - 0.12 * gait.bend)
    return pose


def _foot(body: Body, pose: Pose, side: int, *, gait: Gait, path: Path, cycle: np.ndarray) -> None:
    """One foot: down for the first part of its cycle, where the body is in the middle of that time, and then brought forward."""
    n = np.floor(cycle)
    u = cycle - n
    middle = lambda k: (k + gait.down / 2 - gait.phase - 0.5 * side) * gait.period  # noqa: E731
    here, there = path(middle(n)), path(middle(n + 1))
    v = np.clip((u - gait.down) / (1 - gait.down), 0, 1)
    w = ease(v, 0.0, 1.0) * 0.5 + 0.5 * v * v * (3 - 2 * v)
    sign, apart = 2 * side - 1, body.hips + gait.width
    places = []
    for x, z, yaw in (here, there):
        turn = rotation(yaw - 6.0 * sign)
        places.append((np.stack([x, 0 * x, z], -1) + sign * apart * rotation(yaw)[..., 2], yaw - 6.0 * sign, turn))
    length = np.linalg.norm(places[1][0] - places[0][0], axis=-1) / (gait.pace * gait.period)
    effort = np.clip(length + np.abs(there[2] - here[2]) / 60, 0, 1)
    base = places[0][0] * (1 - w)[:, None] + places[1][0] * w[:, None]
    yaw = places[0][1] * (1 - w) + places[1][1] * w
    # The heel rises about the ball at the end of the stance, and the toe is up when the heel strikes.
    heel = effort * keys(u, [0, 0.1, gait.down * 0.55, gait.down, gait.down + 0.35 * (1 - gait.down), 0.93, 1.0],
                         [-14, 0, 0, gait.kick, 0.75 * gait.kick, -14, -14])  # fmt: skip
    up = effort * gait.lift * np.sin(np.pi * v) ** 1.3 * (1.35 - 0.7 * v)
    slope, flat, bone = np.radians(FLAT + heel), np.radians(FLAT), FOOT * body.height
    facing = rotation(yaw)[..., 0]
    pose.toe[:, side] = np.cos(slope)[:, None] * facing - np.sin(slope)[:, None] * np.array([0, 1, 0])
    rolled = np.maximum(slope, flat)
    pose.ankle[:, side] = base + (bone * (np.cos(flat) - np.cos(rolled)))[:, None] * facing
    pose.ankle[:, side, 1] = body.ankle + up + bone * (np.sin(rolled) - np.sin(flat))
