"""Climbing: over a fence, and up a ladder."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from demo.motions.gait import eased, go, straight, stroller
from demo.motions.parts import HEIGHTS, Play, anybody, breathe, drift, ease, foot_down, hold, keys, shown, thing, upright
from demo.skeleton import FLESH, FOOT, LEFT, RIGHT, Body, Pose, mix, rotation, unit
from demo.stage import THINGS

SIDES = (LEFT, RIGHT)
FIRST_RUNG, RUNG = 0.25, 0.28  # metres up a ladder, as it is drawn
LADDER = 4.1  # metres: enough rungs for every way of climbing
BESIDE = 0.46  # metres from the fence to where one stands before and after the climb
UP = 1.85  # seconds from the ground to astride the top, at the usual pace


def glide(t: np.ndarray, at: list[float], values: list) -> np.ndarray:
    """Through values at times without stopping at each, and without overshooting any."""
    x, v = np.asarray(at, float), np.asarray(values, float)
    v = v.reshape(len(x), -1)
    step = np.diff(x)[:, None]
    slope = np.diff(v, axis=0) / step
    both = slope[1:] * slope[:-1]
    inner = np.where(both > 0, 2 * both / np.where(both > 0, slope[1:] + slope[:-1], 1), 0)
    tangent = np.concatenate([np.zeros((1, v.shape[1])), inner, np.zeros((1, v.shape[1]))])
    now = np.clip(t, x[0], x[-1])
    i = np.clip(np.searchsorted(x, now, side="right") - 1, 0, len(x) - 2)
    u = ((now - x[i]) / (x[i + 1] - x[i]))[:, None]
    a, b, m, n = v[i], v[i + 1], tangent[i] * step[i], tangent[i + 1] * step[i]
    out = a * (1 + 2 * u) * (1 - u) ** 2 + m * u * (1 - u) ** 2 + b * u * u * (3 - 2 * u) + n * u * u * (u - 1)
    return out.reshape(*t.shape, *np.shape(values)[1:])


@dataclass
class Crossing:
    """One way over a fence: height of the fence in metres, time in seconds, a pace of 1 is usual, sit is spent on top."""

    top: float
    at: float
    pace: float
    sit: float

    @property
    def astride(self) -> float:
        return self.at + UP / self.pace

    @property
    def end(self) -> float:
        return self.astride + self.sit + UP / self.pace

    def clock(self, t: np.ndarray) -> np.ndarray:
        """Times of the way up: on the way down they run backwards."""
        up, down = (t - self.at) * self.pace, (self.end - t) * self.pace
        return np.clip(np.minimum(up, down), 0, UP)


def climb_fence(rng: np.random.Generator, t: np.ndarray, at: float | None = None, top: float | None = None) -> Play:
    """Goes over a fence from -x to +x, which stands on x = 0; top: its height in metres, drawn where None."""
    body, pace, sit = anybody(rng), rng.uniform(0.92, 1.15), rng.uniform(0.15, 0.5)
    early, late = rng.uniform(0.0, 0.4), rng.uniform(0.15, 0.45)
    span = t[-1] - t[0]
    if at is None:
        at = t[0] + (early if span < 6.5 else late * (span - 4))
    share = rng.uniform(0.80, 0.98)
    if top:
        body = Body(float(np.clip(top / share, *HEIGHTS)))
    way = Crossing(top or body.height * share, at, pace, sit)
    before, after = _approach(rng, body, way, t), _departure(rng, body, way, t)
    pose = _over(body, way, t)
    pose = mix(before, pose, ease(t, at - 0.1, 0.3))
    pose = mix(pose, after, ease(t, way.end - 0.2, 0.3))
    if rng.random() < 0.5:
        pose = mirrored(pose, 2)
    pose.head[:, 0] += 4 * drift(rng, t)
    pose.head[:, 2] += 8 * drift(rng, t)
    kind = THINGS["fence"]
    fence = thing("fence", len(t), scale=(1, way.top / kind[1], rng.uniform(0.7, 1.1)))
    shows = shown(t, "atfence", (at + 0.45 / pace, "fence"), (way.end - 0.3 / pace, "atfence"))
    return Play(shows, [(body, pose)], [fence])


def _approach(rng: np.random.Generator, body: Body, way: Crossing, t: np.ndarray) -> Pose:
    """Walks up to the fence, or stands before it all the time."""
    speed, far = rng.uniform(0.9, 1.3), rng.uniform(0.5, 1.5) * (rng.random() < 0.75)
    stop = way.at - 0.3
    walk = eased(straight(speed), [(stop - far / speed, stop)], 0.5)

    def path(now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, z, yaw = walk(now)
        return x - far - BESIDE, z, yaw

    pose = go(body, stroller(rng, speed, body), path, t)
    breathe(pose, t, rng, 0.5)
    pose.head[:, 0] -= 8
    return pose


def _departure(rng: np.random.Generator, body: Body, way: Crossing, t: np.ndarray) -> Pose:
    """Turns round on the far side and walks a little way off."""
    speed, far, sign = rng.uniform(0.9, 1.3), rng.uniform(0.3, 1.4), rng.choice((-1, 1))
    start = way.end + 0.75
    walk = eased(straight(speed), [(start, start + far / speed)], 0.5)

    def path(now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, z, _ = walk(now)
        turned = ease(now, way.end - 0.05, 1.1)
        return x + BESIDE + 0.12 * turned, z, 180 + sign * 180 * turned

    pose = go(body, stroller(rng, speed, body), path, t)
    breathe(pose, t, rng, 0.5)
    return pose


def mirrored(pose: Pose, axis: int) -> Pose:
    """The pose seen in a mirror: axis 0 swaps front and back of the world, axis 2 its left and right."""
    out = pose.copy()
    flip = np.ones(3)
    flip[axis] = -1
    out.pelvis *= flip
    out.turn *= -1, 1, -1, -1
    if axis == 0:
        out.turn[:, 0] += 180
    for name in ("chest", "head"):
        getattr(out, name)[:] *= 1, -1, -1
    for name in ("hand", "elbow", "knee"):
        setattr(out, name, getattr(pose, name)[:, ::-1] * (1, 1, -1))
    for name in ("reach", "ankle", "toe"):
        setattr(out, name, getattr(pose, name)[:, ::-1] * flip)
    out.hold = pose.hold[:, ::-1].copy()
    return out


def _over(body: Body, way: Crossing, t: np.ndarray) -> Pose:
    """Up one side, astride the top, and down the other side as in a mirror and backwards."""
    up = _up_the_fence(body, way, way.clock(t))
    return mix(up, mirrored(up, 0), (t > (way.astride + way.end - UP / way.pace) / 2).astype(float))


def _up_the_fence(body: Body, way: Crossing, c: np.ndarray) -> Pose:
    """Poses at times c (F,), 0 to UP: the fence stands at x = 0, the right leg goes over first and the face turns to the left."""
    h, top, pose = body.height, way.top, upright(body, len(c))
    rise, reach = top + 0.12 - body.stand, 0.49 * h
    stand = [-BESIDE, body.stand, 0.0]
    pose.pelvis = glide(c, [0.1, 0.55, 0.9, 1.2, 1.5, UP],
                        [stand, [-0.44, body.stand + 0.04, 0.02], [-0.39, body.stand + 0.32 * rise, -0.03],
                         [-0.33, body.stand + 0.62 * rise, 0.02], [-0.17, body.stand + 0.96 * rise, 0.0],
                         [0.0, body.stand + rise, 0.0]])  # fmt: skip
    pose.turn[:, 0] = glide(c, [1.1, 1.5, UP], [0, 22, 90])
    pose.turn[:, 1] = glide(c, [0, 0.5, 1.1, 1.5, UP], [0, 6, 12, 42, 12])
    pose.chest[:, 0] = glide(c, [0, 0.5, 1.1, 1.5, UP], [0, 4, 10, 20, 12])
    pose.head[:, 0] = glide(c, [0, 0.5, 1.1, 1.5, UP], [-12, -16, -10, -40, -8])
    low = [max(0.22 * top, top + 0.1 - 1.9 * 0.46 * h), 0.42 * top]
    high = top + 0.06 - 0.86 * reach
    ball = FOOT * h + 0.055
    apart = body.hips + 0.02
    near = {LEFT: [(0.2, None), (0.55, [-ball, low[0], -apart]), (0.95, [-ball, low[0], -apart]), (1.25, [-ball, high, -apart]),
                   (1.5, [-ball, high, -apart]), (UP, [-0.20, high - 0.02, -0.05])],
            RIGHT: [(0.55, None), (0.92, [-ball, low[1], apart]), (1.22, [-ball, low[1], apart]),
                    (1.4, [-0.20, top + 0.04, 0.40]), (1.55, [0.06, top + 0.24, 0.42]), (1.68, [0.20, top + 0.02, 0.25]),
                    (UP, [0.20, high - 0.02, -0.05])]}  # fmt: skip
    for side in SIDES:
        _fence_foot(body, pose, side, c, near[side])
        _fence_hand(body, pose, side, c, top)
    return pose


def _fence_foot(body: Body, pose: Pose, side: int, c: np.ndarray, stops: list) -> None:
    sign = 2 * side - 1
    foot_down(body, pose, side, -BESIDE, sign * (body.hips + 0.02), yaw=-6.0 * sign)
    ground, flat = list(pose.ankle[0, side]), list(pose.toe[0, side])
    at, places = [s[0] for s in stops], [ground if s[1] is None else s[1] for s in stops]
    on_bars, free, hanging = [0.97, 0.10, 0.08 * sign], [0.45, -0.5, -0.3], [0.0, -0.75, -0.66]
    toes = [flat if p is ground else on_bars if p[0] < -0.2 else hanging if when == UP else free
            for when, p in zip(at, places, strict=True)]  # fmt: skip
    pose.ankle[:, side] = glide(c, at, places)
    for (start, a), (end, b) in pairwise(zip(at, places, strict=True)):
        if a != b and end < 1.3:  # on its way up the near side a foot stays clear of the bars
            pose.ankle[:, side, 0] -= 0.09 * np.sin(np.pi * np.clip((c - start) / (end - start), 0, 1)) ** 2
    pose.toe[:, side] = unit(glide(c, at, toes))
    pose.knee[:, side] = unit(glide(c, [0, 0.5, 1.3, 1.5, UP], [[1, 0, 0.08 * sign], [1, 0.1, 0.8 * sign], [1, 0.2, 0.8 * sign],
                                                                [0.8, 0.6, 0.6 * sign], [1, 0.1, 0.25 * sign]]))  # fmt: skip


def _fence_hand(body: Body, pose: Pose, side: int, c: np.ndarray, top: float) -> None:
    sign, grip = 2 * side - 1, top + 0.03
    low = np.array([-BESIDE + 0.25, body.stand + 0.1, 0.2 * sign])
    first = 0.12 if side == LEFT else 0.0
    at = [first, first + 0.3, 1.3 + 0.12 * side, 1.6 + 0.12 * side, UP]
    along = [[-0.02, grip, 0.21 * sign], [0.025 * sign, grip, -0.34]]
    where = keys(c, at, [low, along[0], along[0], along[1], along[1]])
    where[:, 1] += 0.12 * np.sin(np.pi * np.clip((c - at[2]) / (at[3] - at[2]), 0, 1)) ** 2
    hold(pose, side, where, ease(c, first, 0.3))
    pose.elbow[:, side] = unit(np.array([-0.5, -0.6, 0.6 * sign]))


@dataclass
class Rungs:
    """A way of climbing a ladder that leans forward by lean degrees: tempo in rungs a second, way in rungs, rest in seconds."""

    lean: float
    tempo: float
    way: int
    rest: float
    low: int  # the rung of the lower foot at first
    height: float  # of the ladder, metres

    def climbed(self, t: np.ndarray) -> np.ndarray:
        """Rungs gained after t seconds: up, a rest, down again, a rest, and so on."""
        once = self.way / self.tempo
        turn = 2 * (once + self.rest)
        u = np.mod(t, turn)
        return np.minimum(np.clip(u, 0, once), np.clip(2 * once + self.rest - u, 0, once)) * self.tempo


def climb_ladder(rng: np.random.Generator, t: np.ndarray, at: float | None = None, lean: float | None = None) -> Play:
    """Goes up and down a ladder that stands at the origin; lean, in degrees, makes it one of LADDER metres that leans so."""
    body, r = anybody(rng), _rungs(rng)
    if lean is not None:
        r = replace(r, lean=lean, height=LADDER)
    climbed = r.climbed(t - t[0])
    pose = upright(body, len(t))
    turn = rotation(0.0, r.lean)
    swing = np.cos(np.pi * (climbed - 0.25))
    pose.pelvis = _at_height(body, r, climbed) + 0.03 * swing[:, None] * np.array([0, 0, 1.0])
    for side in SIDES:
        _ladder_limbs(body, pose, r, side, climbed)
    pose.pelvis, pose.ankle, pose.reach, pose.toe = (v @ turn.T for v in (pose.pelvis, pose.ankle, pose.reach, pose.toe))
    pose.turn[:, 1] = 0.8 * r.lean + 4
    pose.turn[:, 2] = 3 * swing
    pose.chest[:, 0], pose.chest[:, 2] = 4, 4 * swing
    pose.head[:, 0] = -r.lean - rng.uniform(4, 24) + 5 * drift(rng, t)
    pose.head[:, 2] = 8 * drift(rng, t)
    ladder = thing("ladder", len(t), turn=turn, scale=(1, r.height / THINGS["ladder"][1], 1))
    return Play(shown(t, "ladder"), [(body, pose)], [ladder])


def _rungs(rng: np.random.Generator) -> Rungs:
    way, low = int(rng.integers(4, 7)), int(rng.integers(0, 2))
    tallest = FIRST_RUNG + RUNG * (low + way + 6.5)  # the hands need rungs to hold on to at the upper end
    return Rungs(rng.choice((0.0, rng.uniform(8, 18)), p=(0.3, 0.7)), rng.uniform(0.95, 1.45), way, rng.uniform(0.4, 1.5), low,
                 max(tallest, rng.uniform(3.0, 3.8)))  # fmt: skip


def _at_height(body: Body, r: Rungs, climbed: np.ndarray) -> np.ndarray:
    """Pelvis (F, 3) in the ladder's frame: as high over the feet as legs allow that step from rung to rung."""
    up = FIRST_RUNG + RUNG * (r.low + climbed - 0.25) + body.ankle + 0.93 * body.leg
    return np.stack(np.broadcast_arrays(-0.235 * body.height, up, 0.0), -1)


def _ladder_limbs(body: Body, pose: Pose, r: Rungs, side: int, climbed: np.ndarray) -> None:
    """A foot and the hand of the same side, each two rungs at a time, the hand when the other foot goes."""
    sign = 2 * side - 1
    rung, off = _stepped(climbed, side)
    level = FIRST_RUNG + RUNG * (r.low + rung)
    toe = unit(np.array([1.0, -0.12, 0.0]))
    ball = np.stack(np.broadcast_arrays(-0.02 - 0.10 * off, level + 0.02 + FLESH["toe"] * body.height, sign * 0.12), -1)
    pose.toe[:, side] = toe
    pose.ankle[:, side] = ball - FOOT * body.height * toe
    pose.knee[:, side] = unit(np.array([1.0, 0.1, 0.6 * sign]))
    rung, off = _stepped(climbed, 1 - side)
    reach = int(np.floor((0.82 * body.height - 0.08) / RUNG))
    grip = FIRST_RUNG + RUNG * (r.low + reach + rung)
    hold(pose, side, np.stack(np.broadcast_arrays(-0.03 - 0.10 * off, grip, sign * 0.17), -1))
    pose.elbow[:, side] = unit(np.array([-0.3, -0.9, 0.5 * sign]))


def _stepped(climbed: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The rung (F,) a limb is at, from its own first one on, and how far it is off: 0 holds on, 1 is half way."""
    q = (climbed - side) / 2
    n = np.floor(q)
    v = np.clip((q - n) * 2 - 0.5, 0, 0.5) * 2
    return 2 * (n + ease(v, 0, 1)) + side, np.sin(np.pi * v) ** 2
