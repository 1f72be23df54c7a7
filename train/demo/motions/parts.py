"""What motions are put together from: easing, waves, arms and legs by angles, ways to stand, and things in place."""

from dataclasses import dataclass, field

import numpy as np

from demo.skeleton import FOOT, FOOT_DROP, HIP_DROP, LEFT, RIGHT, SHANK, THIGH, Body, Pose, rotation, unit
from demo.stage import THINGS, Thing

HEIGHTS = (1.52, 1.93)  # metres, grown people
FLAT = np.degrees(np.arcsin(FOOT_DROP))  # slope from ankle to ball of a flat foot, degrees


@dataclass
class Play:
    """What happens: people as (body, pose), things, and shows (F,), what each frame shows: a key of demo.words.FRAMES."""

    shows: np.ndarray
    people: list[tuple[Body, Pose]] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)


def shown(t: np.ndarray, first: str, *changes: tuple[float, str]) -> np.ndarray:
    """What the frames at times t show: first, and from each time on what stands beside it."""
    out = np.full(t.shape, first, dtype=object)
    for at, what in changes:
        out[t >= at] = what
    return out


def anybody(rng: np.random.Generator) -> Body:
    return Body(float(np.clip(rng.normal(1.72, 0.09), *HEIGHTS)))


def ease(t: np.ndarray, start: float, length: float) -> np.ndarray:
    """0 before start, 1 after start + length, smooth between."""
    u = np.clip((t - start) / max(length, 1e-6), 0, 1)
    return u * u * u * (10 - 15 * u + 6 * u * u)


def keys(t: np.ndarray, at: list[float], values: list[float]) -> np.ndarray:
    """Values at times, eased between neighbours and still at each."""
    v = np.asarray(values, float)
    out = np.zeros((*t.shape, *v.shape[1:])) + v[0]
    for i in range(len(at) - 1):
        w = ease(t, at[i], at[i + 1] - at[i])
        out = out + w.reshape(*t.shape, *[1] * (v.ndim - 1)) * (v[i + 1] - v[i])
    return out


def wave(t: np.ndarray, hertz: float, phase: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * (hertz * t + phase))


def drift(rng: np.random.Generator, t: np.ndarray, slow: float = 0.15, fast: float = 0.6) -> np.ndarray:
    """Wandering of about one unit, without a period that shows: three sines of drawn speeds."""
    hertz, phase = rng.uniform(slow, fast, 3), rng.random(3)
    return sum(wave(t, f, p) for f, p in zip(hertz, phase, strict=True)) / 1.7


def arm(pose: Pose, side: int, swing: float, out: float, bend: float = 5.0, *, across: float | None = None) -> None:
    """Sets an arm by angles, each a number or (F,).

    swing: upper arm forward from hanging; out: away from the body; bend: forearm further forward; across: the forearm's own angle
    away from the body, the upper arm's when left out (more than 90 points up, below 0 across the chest).
    """
    swing, out, bend, across = (np.radians(np.asarray(v, float)) for v in (swing, out, bend, out if across is None else across))
    sign = 2 * side - 1
    upper, lower = _direction(swing, out, sign), _direction(swing + bend, across, sign)
    pose.hand[:, side] = 0.482 * upper + 0.518 * lower
    pose.elbow[:, side] = unit(upper - lower + np.array([-0.10, -0.06, 0.06 * sign]))


def _direction(swing: np.ndarray, out: np.ndarray, sign: int) -> np.ndarray:
    x, y, z = np.broadcast_arrays(np.sin(swing) * np.cos(out), -np.cos(swing) * np.cos(out), sign * np.sin(out))
    return np.stack([x, y, z], -1)


def leg(body: Body, pose: Pose, side: int, swing: float, out: float = 4.0, *, bend: float = 5.0, point: float = 0.0) -> None:
    """Sets a leg by angles from the pelvis as it is in pose: thigh forward, away, knee bend, and how far the foot points down."""
    swing, out, bend, point = (np.radians(np.asarray(v, float)) for v in (swing, out, bend, point))
    sign, h, turn = 2 * side - 1, body.height, rotation(*pose.turn.T)
    thigh, shank = _direction(swing, out, sign), _direction(swing - bend, out, sign)
    foot = _direction(swing - bend + np.pi / 2 - np.radians(FLAT) - point, out, sign)
    hip = h * np.array([0, -HIP_DROP, sign * body.hips / h])
    to = lambda v: np.einsum("fij,fj->fi", turn, np.broadcast_to(v, (len(turn), 3)))  # noqa: E731
    pose.ankle[:, side] = pose.pelvis + to(hip + h * (THIGH * thigh + SHANK * shank))
    pose.knee[:, side] = unit(thigh - shank + np.array([0.08, 0, 0.01 * sign]))
    pose.toe[:, side] = to(foot)


def hold(pose: Pose, side: int, where: np.ndarray, share: np.ndarray | float = 1.0) -> None:
    """Lays a hand on a point (3,) or (F, 3)."""
    pose.reach[:, side] = where
    pose.hold[:, side] = share


def foot_down(
    body: Body, pose: Pose, side: int, x: np.ndarray, z: np.ndarray, *, yaw: float = 0.0, heel: np.ndarray | float = 0.0
) -> None:
    """Puts the ball of a foot on the ground where a flat foot at ankle (x, z) has it; heel: degrees it is raised about the ball."""
    slope = np.radians(FLAT + np.asarray(heel, float) + 0 * pose.pelvis[:, 0])
    facing = rotation(np.asarray(yaw, float))[..., 0]
    length, flat = FOOT * body.height, np.radians(FLAT)
    ball = np.cos(flat) * length * facing
    base = np.stack(np.broadcast_arrays(np.asarray(x, float), 0.0, np.asarray(z, float)), -1) + ball
    toe = np.cos(slope)[:, None] * facing - np.sin(slope)[:, None] * np.array([0, 1, 0])
    pose.toe[:, side] = toe
    pose.ankle[:, side] = base - length * toe + np.array([0, body.ankle - np.sin(flat) * length, 0])


def upright(body: Body, frames: int) -> Pose:
    """Standing at ease at the origin, arms hanging."""
    z3, z23 = np.zeros((frames, 3)), np.zeros((frames, 2, 3))
    pose = Pose(z3.copy(), np.zeros((frames, 4)), z3.copy(), z3.copy(), z23.copy(), z23.copy(), z23.copy(), np.zeros((frames, 2)),
                z23.copy(), z23.copy(), z23.copy())  # fmt: skip
    pose.pelvis[:, 1] = body.stand
    for side in (LEFT, RIGHT):
        sign = 2 * side - 1
        arm(pose, side, 4, 9, 10, across=7)
        pose.knee[:, side] = unit(np.array([1.0, 0.0, 0.08 * sign]))
        foot_down(body, pose, side, 0.0, sign * (body.hips + 0.02), yaw=-8.0 * sign)
    return pose


def breathe(pose: Pose, t: np.ndarray, rng: np.random.Generator, much: float = 1.0) -> None:
    """Breath and the sway of a body that stands, sits or lies; feet and held things stay where they are."""
    breath, phase = rng.uniform(0.22, 0.34), rng.random()
    pose.chest[:, 0] += much * 1.0 * wave(t, breath, phase)
    pose.chest[:, 1] += much * 1.4 * drift(rng, t)
    pose.chest[:, 2] += much * 2.5 * drift(rng, t)
    pose.head[:, 0] += much * 4 * drift(rng, t)
    pose.head[:, 2] += much * 10 * drift(rng, t)
    pose.pelvis[:, 0] += much * 0.008 * drift(rng, t)
    pose.pelvis[:, 2] += much * 0.010 * drift(rng, t)
    pose.hand += much * 0.012 * np.stack([drift(rng, t) for _ in range(6)], -1).reshape(-1, 2, 3)


def thing(
    kind: str, frames: int, where: np.ndarray | tuple = (0, 0, 0), turn: np.ndarray | None = None, scale: tuple | float = 1.0
) -> Thing:
    """A thing at where (3,) or (F, 3), turned by turn (3, 3) or (F, 3, 3); scale multiplies its usual size, one factor or three."""
    pose = np.broadcast_to(np.eye(4, dtype=np.float32), (frames, 4, 4)).copy()
    pose[:, :3, 3] = where
    if turn is not None:
        pose[:, :3, :3] = turn
    size = np.asarray(THINGS[kind]) * scale
    return Thing(kind, pose, tuple(float(v) for v in size))
