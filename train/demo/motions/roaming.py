"""What people of films do besides their action: ways that bend, standing about, looking around."""

import numpy as np

from demo.motions.gait import Path, go, stroller
from demo.motions.parts import breathe, drift, ease
from demo.motions.staying import stance
from demo.skeleton import Body, Pose, mix, rotation

STEP = 0.01  # metres between the points of a way
RAMP = 0.5  # seconds in which one comes to one's speed, and to a stop

Spot = tuple[float, float]  # x, z in metres


def near_turn(yaw: float, other: float) -> float:
    """yaw and whole turns, within half a turn of the other."""
    return yaw + 360 * round((other - yaw) / 360)


def route(points: list[Spot], speed: float, *, start: float | None = None, stop: float | None = None,
          before: float | None = None, after: float | None = None) -> Path:  # fmt: skip
    """Along points with rounded corners, from `start` or until `stop` in seconds; before, after: the yaw that one stands at."""
    x, z, tangent = _rounded(points)
    length = STEP * (len(x) - 1)
    took = length / speed
    begin = stop - took if start is None else start
    reach = np.linspace(0, length, len(x))
    before = tangent[0] if before is None else near_turn(before, tangent[0])
    after = tangent[-1] if after is None else near_turn(after, tangent[-1])

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        way = speed * (_ramped(t - begin) - _ramped(t - begin - took))
        yaw = np.interp(way, reach, tangent)
        yaw = yaw + (before - tangent[0]) * (1 - ease(t, begin - 0.6, 1.0))
        yaw = yaw + (after - tangent[-1]) * ease(t, begin + took - 0.5, 0.9)
        return np.interp(way, reach, x), np.interp(way, reach, z), yaw

    return path


def _ramped(t: np.ndarray) -> np.ndarray:
    u = np.clip(t / RAMP + 0.5, 0, 1)
    return RAMP * (u**3 - u**4 / 2) + np.maximum(t - RAMP / 2, 0)


def _rounded(points: list[Spot]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, z and yaw of a way at equal steps; corners are rounded within half a metre, the ends stay."""
    p = np.asarray(points, float)
    far = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    s = np.arange(0, far[-1], STEP)
    dense = np.stack([np.interp(s, far, p[:, k]) for k in (0, 1)], 1)
    pad = round(0.6 / STEP)
    first, last = dense[1] - dense[0], dense[-1] - dense[-2]
    earlier, later = first * np.arange(-pad, 0)[:, None], last * np.arange(1, pad + 1)[:, None]
    long = np.concatenate([dense[0] + earlier, dense, dense[-1] + later])
    window = np.hanning(2 * pad + 1)
    smooth = np.stack([np.convolve(long[:, k], window / window.sum(), "valid") for k in (0, 1)], 1)
    steps = np.gradient(smooth, axis=0)
    return smooth[:, 0], smooth[:, 1], np.degrees(np.unwrap(np.arctan2(-steps[:, 1], steps[:, 0])))


def walked(rng: np.random.Generator, body: Body, path: Path, t: np.ndarray, speed: float) -> Pose:
    """Walks along path and looks around; stands about before and after."""
    pose = go(body, stroller(rng, speed, body), path, t)
    breathe(pose, t, rng, 0.5)
    look_around(rng, pose, t)
    return pose


def look_around(rng: np.random.Generator, pose: Pose, t: np.ndarray, much: float = 1.0) -> None:
    """The head turns to something else every few seconds, and the chest follows a little."""
    at, aim = _changes(rng, t, (1.1, 2.4)), 0.0
    turn = np.zeros(len(t))
    for moment in at:
        to = much * rng.uniform(-38, 38)
        turn += (to - aim) * ease(t, moment, rng.uniform(0.4, 0.7))
        aim = to
    pose.head[:, 2] += 0.75 * turn
    pose.chest[:, 2] += 0.25 * turn
    pose.head[:, 0] += much * 4 * drift(rng, t, 0.2, 0.5)


def shift_weight(rng: np.random.Generator, body: Body, pose: Pose, t: np.ndarray, much: float = 1.0) -> None:
    """The weight goes from one leg to the other every few seconds."""
    lean, now, side = np.zeros(len(t)), 0.0, float(rng.choice((-1, 1)))
    for moment in _changes(rng, t, (1.6, 3.0)):
        side = -side
        to = side * rng.uniform(0.3, 1.0)
        lean += (to - now) * ease(t, moment, rng.uniform(0.7, 1.1))
        now = to
    right = rotation(pose.turn[:, 0])[..., 2]
    pose.pelvis += (much * 0.035 * body.height / 1.7 * lean)[:, None] * right
    pose.pelvis[:, 1] -= much * 0.008 * np.abs(lean)
    pose.turn[:, 2] -= 2.5 * much * lean
    pose.chest[:, 1] += 3.5 * much * lean


def _changes(rng: np.random.Generator, t: np.ndarray, apart: tuple[float, float]) -> np.ndarray:
    """Moments from the start to the end of t, so many seconds apart."""
    gaps = rng.uniform(*apart, 60)
    at = t[0] + np.cumsum(gaps) - gaps[0] * rng.random()
    return at[at < t[-1]]


def waiting(rng: np.random.Generator, body: Body, t: np.ndarray) -> Pose:
    """Stands at the origin and is never still for long."""
    pose = stance(rng, t, body)
    breathe(pose, t, rng, 0.8)
    look_around(rng, pose, t)
    shift_weight(rng, body, pose, t)
    return pose


def joined(t: np.ndarray, first: Pose, second: Pose, at: float, soft: float = 0.6) -> Pose:
    """The first pose, and from `at` on the second; their yaws may be whole turns apart."""
    k = int(np.clip(np.searchsorted(t, at), 0, len(t) - 1))
    out = second.copy()
    out.turn[:, 0] += near_turn(float(second.turn[k, 0]), float(first.turn[k, 0])) - float(second.turn[k, 0])
    return mix(first, out, ease(t, at - soft / 2, soft))
