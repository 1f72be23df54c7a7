"""Alone with a bicycle or a ball: riding, kicking, throwing."""

from dataclasses import dataclass

import numpy as np

from demo.motions.gait import Gait, Path, eased, go, straight, stroller
from demo.motions.parts import FLAT, Play, anybody, arm, breathe, ease, foot_down, hold, keys, leg, shown, thing, upright, wave
from demo.skeleton import FOOT, INDEX, LEFT, RIGHT, Body, Pose, rotation, solve, unit
from demo.stage import THINGS

GRAVITY = 9.81  # metres per second squared

# --- bicycle ----------------------------------------------------------------------------------------------------------------

# Points of the drawn bicycle (render.things) as shares of its length and height, and the crank, which is not drawn, in metres.
AXLE, SADDLE, BAR = (-0.03, 0.295), (-0.105, 0.88), (0.22, 0.97)
CRANK, PEDAL_OUT, GRIP_OUT = 0.17, 0.10, 0.9


@dataclass
class Ride:
    """Where a bicycle is: round an ellipse of half axes, metres, at turns a second; way is 1 to the left, -1 to the right."""

    axes: tuple[float, float]
    hertz: float
    phase: float
    way: int

    def frame(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place on the ground (F, 3), yaw (F,), and roll (F,) into the curve, degrees."""
        a, b = self.axes
        w = 2 * np.pi * self.hertz
        u = w * t + 2 * np.pi * self.phase
        where = np.stack([a * np.cos(u), 0 * u, -self.way * b * np.sin(u)], -1)
        dx, dz = -a * np.sin(u), -self.way * b * np.cos(u)
        speed = w * np.hypot(dx, dz)
        pull = a * b * w**3 / speed  # speed squared over the radius of the curve
        return where, np.degrees(np.arctan2(-dz, dx)), -self.way * np.degrees(np.arctan(pull / GRAVITY))


def ride_bicycle(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Somebody rides a bicycle in a round near the camera: seated, hands on the bar, feet on turning pedals."""
    body = anybody(rng)
    long = rng.uniform(1.3, 1.9)
    axes = (long, long * rng.uniform(0.7, 1.0))
    speed = rng.uniform(1.5, 2.0)
    ride = Ride(axes, speed / (np.pi * sum(axes)), rng.random(), int(rng.choice((-1, 1))))
    return _ridden(rng, t, body, ride.frame(t))


def ride_past(rng: np.random.Generator, t: np.ndarray, path: Path) -> Play:
    """Somebody rides a bicycle along a path."""
    x, z, yaw = path(t)
    return _ridden(rng, t, anybody(rng), (np.stack([x, 0 * x, z], -1), yaw, 0 * x), face=0.0)


def _ridden(rng: np.random.Generator, t: np.ndarray, body: Body, frame: tuple[np.ndarray, np.ndarray, np.ndarray],
            face: float | None = None) -> Play:  # fmt: skip
    """A bicycle with its rider in a frame as Ride.frame gives it, all turned by face degrees about the origin, drawn where None."""
    scale = body.height / 1.74 * rng.uniform(0.97, 1.03)
    where, yaw, roll = frame
    turn = rotation(yaw, 0.0, roll)
    pose = _rider(rng, t, body, scale)
    for points in (pose.pelvis[:, None], pose.reach, pose.ankle):
        points[:] = np.einsum("fij,fkj->fki", turn, points) + where[:, None]
    pose.toe = np.einsum("fij,fkj->fki", turn, pose.toe)
    pose.turn[:, 0] += yaw
    pose.turn[:, 2] += roll
    face = rng.uniform(0, 360) if face is None else face
    spun = rotation(np.array(face))
    bicycle = thing("bicycle", len(t), where @ spun.T, spun @ turn, scale)
    return Play(shown(t, "cycle"), [(body, pose.moved(np.zeros(3), face))], [bicycle])


def _rider(rng: np.random.Generator, t: np.ndarray, body: Body, scale: float) -> Pose:
    """Seated on the bicycle as it stands at the origin; the legs turn the cranks."""
    pose, (long, high, wide) = upright(body, len(t)), np.asarray(THINGS["bicycle"]) * scale
    lean, cadence, phase = rng.uniform(14, 30), rng.uniform(0.85, 1.25), rng.random()
    rock = wave(t, cadence, phase)
    pose.pelvis[:] = SADDLE[0] * long, SADDLE[1] * high + 0.05 * body.height, 0.0
    pose.pelvis[:, 2] += 0.008 * rock
    pose.turn[:, 1], pose.turn[:, 2] = 0.8 * lean, 1.5 * rock
    pose.chest[:, 0], pose.chest[:, 1] = 0.7 * lean, -2.0 * rock
    pose.head[:, 0], pose.head[:, 2] = -lean, 12 * wave(t, rng.uniform(0.15, 0.35), rng.random())
    for side in (LEFT, RIGHT):
        sign = 2 * side - 1
        hold(pose, side, np.array([BAR[0] * long - 0.01, BAR[1] * high + 0.02, sign * GRIP_OUT * wide / 2]))
        pose.elbow[:, side] = unit(np.array([-0.5, -0.8, 0.5 * sign]))
        _pedal(body, pose, side, 2 * np.pi * (cadence * t + phase + 0.5 * side), (AXLE[0] * long, AXLE[1] * high))
    return pose


def _pedal(body: Body, pose: Pose, side: int, crank: np.ndarray, axle: tuple[float, float]) -> None:
    """A foot with its ball on the pedal; crank is the angle from ahead, downwards first, radians."""
    sign, length = 2 * side - 1, FOOT * body.height
    slope = np.radians(FLAT + 10 - 12 * np.sin(crank + 0.6))
    toe = np.stack([np.cos(slope), -np.sin(slope), 0 * slope], -1)
    ball = np.stack([axle[0] + CRANK * np.cos(crank), axle[1] - CRANK * np.sin(crank) + 0.035, 0 * crank + sign * PEDAL_OUT], -1)
    pose.toe[:, side], pose.ankle[:, side] = toe, ball - length * toe
    pose.knee[:, side] = unit(np.array([1.0, 0.2, 0.06 * sign]))


# --- ball -------------------------------------------------------------------------------------------------------------------


def _moment(rng: np.random.Generator, t: np.ndarray, at: float | None) -> float:
    """When it happens: as asked for, or about the middle of the time."""
    share = rng.uniform(0.38, 0.70)
    return float(t[0] + share * (t[-1] - t[0])) if at is None else float(at)


def _flight(t: np.ndarray, since: float, start: np.ndarray, speed: np.ndarray, radius: float) -> np.ndarray:
    """(F, 3) middle of a ball that flies off from start at time since with speed (3,), bounces and rolls on."""
    s = np.maximum(t - since, 0)
    drag = 0.35  # share of the speed along the ground lost every second
    along = (1 - np.exp(-drag * s)) / drag
    out = start + along[:, None] * (speed * (1, 0, 1))
    out[:, 1] = radius
    begin, high, up = 0.0, float(start[1]) - radius, float(speed[1])
    for _ in range(12):  # bounces, each with 0.6 of the speed of the one before
        land = (up + np.sqrt(up * up + 2 * GRAVITY * max(high, 0.0))) / GRAVITY
        here = (s >= begin) & (s < begin + land)
        u = s[here] - begin
        out[here, 1] = radius + high + up * u - GRAVITY * u * u / 2
        begin, high, up = begin + land, 0.0, 0.6 * (GRAVITY * land - up)
    return out


def _placed(body: Body, pose: Pose, ball: np.ndarray, *, scale: float, middle: float, yaw: float) -> tuple[list, list]:
    """The person and the ball turned by yaw, with the point middle metres along x over the origin; ball (F, 3) is its middle."""
    turn = rotation(np.array(yaw))
    shift = -middle * turn[:, 0]
    under = ball - np.array([0, THINGS["ball"][1] * scale / 2, 0])
    return [(body, pose.moved(shift, yaw))], [thing("ball", len(ball), under @ turn.T + shift, None, scale)]


@dataclass
class Kick:
    """Who kicks when and how: the walk up to the ball ends about the kick; angles in degrees, metres, metres a second."""

    at: float
    body: Body
    foot: int
    gait: Gait
    speed: float
    steps: float  # seconds of walking up to the ball
    back: float  # thigh, drawn back and swung up
    high: float
    seed: int

    def path(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Straight on along x, and to a stand at the origin about the kick, over the foot that bears."""
        stop, ramp = self.at - 0.2, 0.6
        x, z, yaw = eased(straight(self.speed), [(stop - self.steps, stop)], ramp)(t)
        return x - self.speed * self.steps, z, yaw

    def pose(self, t: np.ndarray) -> Pose:
        pose, rng = go(self.body, self.gait, self.path, t), np.random.default_rng(self.seed)
        breathe(pose, t, rng, 0.4)
        s, sign = t - self.at, 2 * self.foot - 1
        share = ease(s, -0.42, 0.22) - ease(s, 0.62, 0.42)
        back = _flow(s, [-0.50, -0.23, 0.0, 0.27, 0.50, 1.04], [0, -1, 0.36, 1, 0.95, 0])  # -1 drawn back, 1 swung up
        pose.turn[:, 1] += -10 * np.maximum(back, 0)
        pose.turn[:, 0] += 16 * sign * back * share
        pose.chest[:, 0] += 8 * share - 4 * back
        pose.chest[:, 2] -= 26 * sign * back * share
        pose.head[:, 0] += 22 * (ease(s, -0.9, 0.5) - ease(s, 0.1, 0.4))
        self._swing(pose, s, share, back)
        self._balance(pose, share, back)
        return pose

    def _swing(self, pose: Pose, s: np.ndarray, share: np.ndarray, back: np.ndarray) -> None:
        raised = pose.copy()
        # The knee is still bent where the foot meets the ball, or the toes would be in the ground.
        bend = _flow(s, [-0.50, -0.23, -0.02, 0.26, 0.50, 1.04], [25, 82, 56, 6, 16, 30])
        point = _flow(s, [-0.50, -0.23, -0.02, 0.25, 0.50, 1.04], [0, 25, 2, 28, 22, -8])
        thigh = np.where(back < 0, self.back * back, self.high * back)
        leg(self.body, raised, self.foot, thigh + 6, 5.0, bend=bend, point=point)
        for name in ("ankle", "knee", "toe"):
            now, then = getattr(pose, name), getattr(raised, name)
            now[:, self.foot] += share[:, None] * (then[:, self.foot] - now[:, self.foot])

    def _balance(self, pose: Pose, share: np.ndarray, back: np.ndarray) -> None:
        """The arm across from the kicking foot goes forward with it, the other one back, both away from the body."""
        free = pose.copy()
        arm(free, 1 - self.foot, 8 + 34 * back, 52, 20)
        arm(free, self.foot, -6 - 34 * back, 38, 24)
        for name in ("hand", "elbow"):
            setattr(pose, name, getattr(pose, name) + share[:, None, None] * (getattr(free, name) - getattr(pose, name)))


def _flow(t: np.ndarray, at: list[float], values: list) -> np.ndarray:
    """Values at times, passed through without a stop; before the first and after the last it rests."""
    at, v = np.asarray(at), np.asarray(values, float)
    slope = np.zeros_like(v)
    slope[1:-1] = (v[2:] - v[:-2]) / (at[2:] - at[:-2]).reshape(-1, *[1] * (v.ndim - 1))
    k = np.clip(np.searchsorted(at, t, "right") - 1, 0, len(at) - 2)
    wide = at[k + 1] - at[k]
    u = np.clip((t - at[k]) / wide, 0, 1)
    u, wide = (x.reshape(-1, *[1] * (v.ndim - 1)) for x in (u, wide))
    return ((1 + 2 * u) * (1 - u) ** 2 * v[k] + u * (1 - u) ** 2 * wide * slope[k]
            + u * u * (3 - 2 * u) * v[k + 1] - u * u * (1 - u) * wide * slope[k + 1])  # fmt: skip


def kick_ball(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Somebody walks up to a ball, or dribbles it, and kicks it far; at is when the foot meets the ball."""
    at, body, foot = _moment(rng, t, at), anybody(rng), int(rng.random() < 0.75)
    speed, dribbles, scale = rng.uniform(1.1, 1.6), rng.random() < 0.45, rng.uniform(0.95, 1.1)
    gait = stroller(rng, speed, body)
    gait.phase = (gait.down - 0.5 * foot - (at - 0.40) / gait.period) % 1.0  # the kicking foot leaves the ground in time
    steps = rng.uniform(1.5, 2.2) / speed if dribbles else rng.uniform(1.0, 1.6) / speed
    kick = Kick(at, body, foot, gait, speed, steps, rng.uniform(32, 46), rng.uniform(62, 84), int(rng.integers(2**31)))
    radius = THINGS["ball"][1] * scale / 2
    foot_at = solve(body, kick.pose(np.array([at])))[0, INDEX[f"{('left', 'right')[foot]}_toe"]]
    start = np.array([foot_at[0] + radius + 0.03, radius, foot_at[2]])
    away = rng.uniform(5.0, 8.0) * rotation(np.array(rng.uniform(-10, 10)))[:, 0] + np.array([0, rng.uniform(1.5, 3.8), 0])
    centre = np.where((t < at)[:, None], start, _flight(t, at, start, away, radius))
    if dribbles:
        centre[t < at] += _dribbled(kick, t)[t < at]
    people, things = _placed(body, kick.pose(t), centre, scale=scale, middle=0.2 - speed * steps / 2, yaw=rng.uniform(0, 360))
    return Play(shown(t, "ball", (at - 0.30, "kick"), (at + 0.70, "stand")), people, things)


def _dribbled(kick: Kick, t: np.ndarray) -> np.ndarray:
    """(F, 3) how far from its place at the kick the ball is before it, pushed on once in two steps."""
    out = np.zeros((len(t), 3))
    out[:, 0] = kick.path(t)[0] - kick.path(np.array([kick.at]))[0]
    walks = ease(t, kick.at - kick.steps, 0.6) * (1 - ease(t, kick.at - 0.6, 0.5))
    out[:, 0] += 0.22 * walks * np.sin(np.pi * (t - kick.at) / kick.gait.period) ** 2
    return out


# The hands in a throw by time from the release in seconds: (ahead, up, outwards from the shoulder) in arm lengths, chest's frame.
HELD, HANGS = (0.46, -0.16, -0.14), (0.06, -0.95, 0.16)
THROWS = {
    "overarm": ([-1.2, -0.55, -0.20, -0.07, 0.0, 0.12, 0.32, 0.95, 1.6],
                [HELD, (-0.30, 0.40, 0.60), (-0.42, 0.42, 0.60), (0.10, 0.80, 0.42), (0.50, 0.76, 0.18), (0.80, 0.15, -0.10),
                 (0.45, -0.62, -0.40), (0.40, -0.66, -0.36), HANGS]),
    "overhead": ([-1.2, -0.60, -0.22, -0.07, 0.0, 0.14, 0.34, 0.95, 1.6],
                 [HELD, (0.10, 0.86, -0.14), (-0.24, 0.72, -0.14), (0.22, 0.90, -0.14), (0.50, 0.80, -0.14), (0.86, 0.20, -0.12),
                  (0.70, -0.45, -0.06), (0.66, -0.48, -0.06), HANGS]),
    "underarm": ([-1.2, -0.55, -0.25, -0.08, 0.0, 0.14, 0.32, 0.95, 1.6],
                 [HELD, (-0.66, -0.50, 0.14), (-0.76, -0.42, 0.14), (0.30, -0.86, 0.06), (0.78, -0.42, 0.0), (0.82, 0.42, -0.06),
                  (0.55, 0.74, -0.08), (0.52, 0.74, -0.08), HANGS]),
}  # fmt: skip
FREE = ([-1.2, -0.55, -0.18, 0.05, 0.32, 0.95, 1.6],
        [HELD, (0.50, 0.16, 0.74), (0.52, 0.16, 0.74), (0.20, -0.62, 0.40), (-0.34, -0.80, 0.36), (-0.32, -0.82, 0.34),
         HANGS])  # fmt: skip
# Where the elbows point meanwhile: never along the arm, or they would flip.
ELBOWS = ([-1.2, -0.55, -0.05, 0.22, 0.95, 1.6],
          [(-0.3, -0.8, 0.4), (-0.1, -0.4, 1.0), (-0.2, -0.5, 0.8), (-0.8, -0.1, 0.7), (-0.9, -0.1, 0.5),
           (-0.9, -0.1, 0.3)])  # fmt: skip


@dataclass
class Throw:
    """Who throws when and how: style is a key of THROWS, long the step in metres, turn and lean in degrees."""

    at: float
    body: Body
    style: str
    hand: int
    long: float
    turn: float
    lean: float
    scale: float
    seed: int

    def pose(self, t: np.ndarray) -> Pose:
        pose, s, sign = upright(self.body, len(t)), t - self.at, 2 * self.hand - 1
        breathe(pose, t, np.random.default_rng(self.seed), 0.6)
        # 1 wound up, below 0 past the front
        wound = _flow(s, [-1.2, -0.50, -0.22, 0.0, 0.28, 0.90, 1.6], [0, 1, 1, -0.15, -0.50, -0.50, 0])
        turn = self.turn * (0.0 if self.style == "overhead" else 1.0)
        pose.turn[:, 0] = -0.6 * sign * turn * wound
        pose.chest[:, 2] += -0.5 * sign * turn * wound
        pose.head[:, 2] += 0.9 * sign * turn * wound
        pose.turn[:, 1] += -0.4 * self.lean * wound
        pose.chest[:, 0] += -self.lean * wound * np.where(wound < 0, 1.6, 1.0)
        pose.head[:, 0] += 0.8 * self.lean * wound
        self._feet(pose, s)
        self._arms(pose, s)
        return pose

    def _feet(self, pose: Pose, s: np.ndarray) -> None:
        """The foot across from the throwing hand steps forward before the release, the other one follows well after it."""
        front, rear = 1 - self.hand, self.hand
        out = self.body.hips + 0.05
        step, after = ease(s, -0.55, 0.40), ease(s, 1.0, 0.5)
        pose.pelvis[:, 0] += _flow(s, [-1.2, -0.55, 0.05, 0.95, 1.5], np.array([0, -0.24, 0.50, 0.55, 0.85]) * self.long)
        pose.pelvis[:, 1] -= keys(s, [-1.0, -0.5, 0.0, 0.9, 1.5], [0.0, 0.04, 0.07, 0.07, 0.0])
        foot_down(self.body, pose, front, self.long * step, (2 * front - 1) * out, yaw=8.0 * (1 - 2 * front) * (1 - step))
        pose.ankle[:, front, 1] += 0.20 * np.sin(np.pi * step) ** 2
        heel = 38 * ease(s, -0.15, 0.35) * (1 - after)
        turned = -30.0 * (2 * rear - 1) * (1 - after)
        foot_down(self.body, pose, rear, -0.12 + (self.long + 0.06) * after, (2 * rear - 1) * out, yaw=turned, heel=heel)
        pose.ankle[:, rear, 1] += 0.06 * np.sin(np.pi * after) ** 2

    def _arms(self, pose: Pose, s: np.ndarray) -> None:
        for side in (LEFT, RIGHT):
            sign = 2 * side - 1
            at, points = THROWS[self.style] if side == self.hand or self.style == "overhead" else FREE
            pose.hand[:, side] = _flow(s, at, np.asarray(points) * (1, 1, sign))
            pose.elbow[:, side] = unit(_flow(s, *ELBOWS) * (1, 1, sign))

    def ball(self, t: np.ndarray) -> np.ndarray:
        """(F, 3) middle of the ball while it is held."""
        joints, radius = solve(self.body, self.pose(t)), THINGS["ball"][1] * self.scale / 2
        side = ("left", "right")[self.hand]
        hand, elbow = joints[:, INDEX[f"{side}_hand"]], joints[:, INDEX[f"{side}_elbow"]]
        between = (joints[:, INDEX["left_hand"]] + joints[:, INDEX["right_hand"]]) / 2
        one = hand + (radius + 0.01) * unit(hand - elbow)
        share = np.zeros(len(t)) if self.style == "overhead" else ease(t - self.at, -1.2, 0.35)
        return between + share[:, None] * (one - between)


def throw_ball(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Somebody holds a ball, winds up with a step and throws it; at is when the ball leaves the hand."""
    at, body = _moment(rng, t, at), anybody(rng)
    style = str(rng.choice(list(THROWS), p=(0.6, 0.25, 0.15)))
    scale = rng.uniform(0.95, 1.1) if style == "overhead" else rng.uniform(0.62, 0.85)
    throw = Throw(at, body, style, hand=int(rng.random() < 0.75), long=rng.uniform(0.38, 0.58), turn=rng.uniform(60, 85),
                  lean=rng.uniform(10, 18), scale=scale, seed=int(rng.integers(2**31)))  # fmt: skip
    start = throw.ball(np.array([at]))[0]
    fast, up = rng.uniform(5.5, 8.0), rng.uniform(1.5, 3.5)
    away = fast * rotation(np.array(rng.uniform(-8, 8)))[:, 0] + np.array([0, up, 0])
    radius = THINGS["ball"][1] * scale / 2
    centre = np.where((t < at)[:, None], throw.ball(t), _flight(t, at, start, away, radius))
    people, things = _placed(body, throw.pose(t), centre, scale=scale, middle=0.15, yaw=rng.uniform(0, 360))
    return Play(shown(t, "ball", (at - 0.75, "throw"), (at + 0.95, "stand")), people, things)
