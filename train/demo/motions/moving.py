"""Moving over open ground: walking, running, jumping, and crawling on hands and knees."""

from dataclasses import dataclass

import numpy as np

from demo.motions.gait import Path, go, runner, straight, stroller
from demo.motions.parts import Play, anybody, arm, drift, ease, foot_down, hold, leg, shown, thing, upright, wave
from demo.skeleton import ANKLE, FLESH, FOOT_DROP, HIP_DROP, LEFT, LUMBAR, RIGHT, SHANK, THIGH, THORAX, Body, Pose, rotation, unit
from demo.stage import Thing

GRAVITY = 9.81
SHORT = 6.5  # seconds; a longer take goes round in a loop, or people would leave the picture
SIDES = (LEFT, RIGHT)


def loop(rng: np.random.Generator, speed: float, along: float, radius: float) -> Path:
    """Round and round about the origin at a speed: two straights of a length along, in metres, joined by bends of a radius."""
    bend = 1.44 * np.pi * radius
    half, sign = along + bend, rng.choice((-1.0, 1.0))
    s = np.linspace(0, half, 1501)
    u = np.clip((s - along) / bend, 0, 1)
    yaw = 180 * (0.5 * u + 0.5 * ease(u, 0, 1))
    steps = np.stack([np.cos(np.radians(yaw)), -np.sin(np.radians(yaw))], 1)
    places = np.concatenate([np.zeros((1, 2)), np.cumsum((steps[1:] + steps[:-1]) / 2, 0)]) * (half / (len(s) - 1))
    places -= places[-1] / 2
    first = rng.uniform(0, 2 * half)

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        way = first + speed * t
        n = np.floor(way / half)
        rest, flip = way - n * half, 1 - 2 * (n % 2)  # every other half is the first one turned about the origin
        x, z = (flip * np.interp(rest, s, places[:, k]) for k in (0, 1))
        return x, sign * z, sign * (180 * n + np.interp(rest, s, yaw))

    return path


def across(rng: np.random.Generator, t: np.ndarray, speed: float) -> Path:
    """Straight through the origin, which is reached in about the middle of t; to the half second, so that frame rates agree."""
    return straight(speed, rng.uniform(-180, 180), round(t[0] + t[-1]) / 2 + rng.uniform(-0.2, 0.2))


def walk(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    body, style, straightly = anybody(rng), rng.random(), rng.random() < 0.35 and t[-1] - t[0] < SHORT
    # A straight way is walked slowly, or a camera that frames all of it shows a small person.
    speed = rng.uniform(0.85, 1.15) if straightly else rng.uniform(0.95, 1.35)
    path = across(rng, t, speed) if straightly else loop(rng, speed, rng.uniform(0.6, 1.6), rng.uniform(0.5, 0.8))
    pose = go(body, stroller(rng, speed, body), path, t)
    side, things = int(rng.integers(2)), []
    pose.head[:, 2] += rng.uniform(4, 20) * drift(rng, t, 0.1, 0.3)
    pose.head[:, 0] += rng.uniform(-3, 12)
    if style < 0.12:
        _hands_at_waist(body, pose, SIDES, 0.04)
    elif style < 0.22:
        _hands_at_waist(body, pose, (side,), 0.04)
    elif style < 0.30:
        _hands_at_waist(body, pose, SIDES, -0.13)
    elif style < 0.40:
        things = [look_at_phone(body, pose, side)]
    return Play(shown(t, "walk"), [(body, pose)], things)


def _hands_at_waist(body: Body, pose: Pose, sides: tuple[int, ...], ahead: float) -> None:
    """Hands in the pockets, or joined behind the back where ahead (metres) is far below 0."""
    turn = rotation(*pose.turn.T)
    for side in sides:
        sign, behind = 2 * side - 1, ahead < -0.1
        spot = np.array([ahead * body.height / 1.7, 0.02 if behind else -0.03, sign * (0.03 if behind else 0.105 * body.height)])
        arm(pose, side, -15, 25, 20)
        pose.elbow[:, side] = unit(np.array([-0.8, -0.1, 0.6 * sign]))
        hold(pose, side, pose.pelvis + turn @ spot)


def look_at_phone(body: Body, pose: Pose, side: int) -> Thing:
    sign = 2 * side - 1
    turn = rotation(*pose.turn.T)
    spot = pose.pelvis + turn @ np.array([0.19, 0.145, 0.03 * sign]) * body.height
    hold(pose, side, spot)
    pose.elbow[:, side] = unit(np.array([-0.4, -0.8, 0.4 * sign]))
    pose.head[:, 0] += 22
    return thing("phone", len(spot), spot + turn @ np.array([0.05, 0.04, 0.0]), turn)


def run(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    body, speed = anybody(rng), rng.uniform(2.4, 3.1)
    path = loop(rng, speed, rng.uniform(0.4, 1.4), rng.uniform(0.8, 1.1))
    pose = go(body, runner(rng, speed, body), path, t)
    _lean_into_bends(body, pose, path, t, speed)
    pose.head[:, 2] += rng.uniform(2, 8) * drift(rng, t, 0.1, 0.3)
    return Play(shown(t, "run"), [(body, pose)])


def _lean_into_bends(body: Body, pose: Pose, path: Path, t: np.ndarray, speed: float) -> None:
    """Half the lean that the speed asks for, as the bends are tight; taken over half a second so that it comes on gently."""
    turning = np.radians(path(t + 0.25)[2] - path(t - 0.25)[2]) / 0.5
    lean = 0.5 * np.arctan(speed * turning / GRAVITY)
    pose.turn[:, 2] -= np.degrees(lean)
    pose.pelvis -= (0.35 * body.stand * np.tan(lean))[:, None] * rotation(path(t)[2])[..., 2]
    pose.head[:, 1] += 0.6 * np.degrees(lean)


@dataclass
class Jumps:
    """A way of jumping again and again: seconds on the ground and in the air, metres, degrees."""

    contact: float
    flight: float
    phase: float
    arms: str
    tuck: float = 0.06  # feet drawn up in the air
    spread: float = 0.0  # each foot sideways in the air
    apart: float = 0.0  # each foot sideways at every other landing
    step: float = 0.0  # forward with every jump
    radius: float = 1.0  # of the circle on which steps go
    lifted: int = -1  # the leg that is kept off the ground
    yaw: float = 0.0

    @property
    def period(self) -> float:
        return self.contact + self.flight


def jump(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    body, j = anybody(rng), _jumps(rng)
    cycle = t / j.period + j.phase
    n = np.floor(cycle)
    u = np.clip((cycle - n) * j.period / j.contact, 0, 1)
    v = np.clip(((cycle - n) * j.period - j.contact) / j.flight, 0, 1)
    pose, landed = upright(body, len(t)), n + v
    lift = GRAVITY * j.flight**2 / 2 * v * (1 - v)
    dip = GRAVITY * j.flight * j.contact / 2 * u * (1 - u)  # leaves the ground as fast as it came down
    open_ = j.apart * (n % 2 + (1 - 2 * (n % 2)) * ease(v, 0, 1))
    _trunk(body, pose, j, cycle - j.contact / 2 / j.period, rise=lift - dip, open_=open_)
    for side in SIDES:
        _jumping_foot(body, pose, j, side, landed=landed, u=u, v=v, lift=lift, open_=open_)
    raised = _jumping_arms(pose, j, cycle, u=u, v=v)
    pose.head[:, 0] += -0.5 * pose.chest[:, 0] + 3 * drift(rng, t)
    pose.head[:, 2] += 5 * drift(rng, t)
    shows = shown(t, "stand")
    shows[dip > 0.2] = "crouch"
    shows[raised] = "armsup"
    shows[lift > 0.04] = "air"
    return Play(shows, [(body, pose)])


def _jumps(rng: np.random.Generator) -> Jumps:
    kind = rng.choice(["bounce", "tuck", "star", "jacks", "hops"], p=[0.35, 0.1, 0.1, 0.27, 0.18])
    phase, yaw, flight, contact = rng.random(), rng.uniform(-180, 180), rng.uniform(0.48, 0.61), rng.uniform(0.34, 0.46)
    if kind == "bounce":
        return Jumps(contact, flight, phase, str(rng.choice(["swing", "up", "waist", "hang"], p=[0.62, 0.22, 0.06, 0.1])),
                     tuck=rng.uniform(0.03, 0.15), yaw=yaw)  # fmt: skip
    if kind == "tuck":
        return Jumps(contact + 0.06, flight + 0.05, phase, "swing", tuck=rng.uniform(0.3, 0.42), yaw=yaw)
    if kind == "star":
        return Jumps(contact + 0.06, flight + 0.04, phase, "star", tuck=0.0, spread=rng.uniform(0.28, 0.42), yaw=yaw)
    if kind == "jacks":
        return Jumps(rng.uniform(0.24, 0.36), rng.uniform(0.26, 0.34), phase, "jacks", apart=rng.uniform(0.22, 0.36), yaw=yaw)
    one_leg = rng.random() < 0.4
    contact, flight = (0.75 * contact, flight - 0.12) if one_leg else (contact, flight - 0.04)
    return Jumps(contact, flight, phase, "balance" if one_leg else "swing", tuck=rng.uniform(0.05, 0.2),
                 step=rng.uniform(0.2, 0.45), radius=rng.choice((-1, 1)) * rng.uniform(0.7, 1.3),
                 lifted=int(rng.integers(2)) if one_leg else -1, yaw=yaw)  # fmt: skip


def _spot(j: Jumps, jumps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a number of jumps leads, (F, 3), and the yaw there; on a circle about the origin."""
    turned = np.degrees(jumps * j.step / j.radius)
    yaw = j.yaw + turned
    return (-j.radius if j.step else 0.0) * -rotation(yaw)[..., 2], yaw


def _trunk(body: Body, pose: Pose, j: Jumps, jumps: np.ndarray, *, rise: np.ndarray, open_: np.ndarray) -> None:
    """Pelvis and chest; rise (F,): metres over where the feet leave the ground."""
    place, yaw = _spot(j, jumps)
    facing, right = rotation(yaw)[..., 0], rotation(yaw)[..., 2]
    dip = np.maximum(-rise, 0)
    leaves = (HIP_DROP + ANKLE + 0.965 * (THIGH + SHANK)) * body.height + _heel_up(body, 40.0)
    lower = body.leg - np.sqrt(body.leg**2 - open_**2)
    over = 0.0 if j.lifted < 0 else (1 - 2 * j.lifted) * 0.8 * body.hips
    pose.pelvis = place + (0.06 - 0.45 * dip)[:, None] * facing + over * right
    pose.pelvis[:, 1] = leaves + rise - lower
    pose.turn[:, 0] = yaw
    pose.turn[:, 1] = 4 + 85 * dip
    pose.chest[:, 0] = 45 * dip - 3


def _heel_up(body: Body, heel: np.ndarray | float) -> np.ndarray:
    """Metres that the ankle is higher with the heel raised by degrees."""
    foot, flat = 0.113 * body.height, np.arcsin(FOOT_DROP)
    return foot * (np.sin(flat + np.radians(heel)) - np.sin(flat))


def _jumping_foot(body: Body, pose: Pose, j: Jumps, side: int, *, landed: np.ndarray, u: np.ndarray, v: np.ndarray,
                  lift: np.ndarray, open_: np.ndarray) -> None:  # fmt: skip
    if side == j.lifted:
        leg(body, pose, side, 18 + 10 * np.sin(np.pi * v), 5, bend=95, point=25)
        return
    place, yaw = _spot(j, landed)
    sign, hump = 2 * side - 1, np.sin(np.pi * v) ** 2
    near = 0.3 if j.lifted >= 0 else 1.0
    where = place + (sign * (near * body.hips + 0.01 + open_ + j.spread * hump))[:, None] * rotation(yaw)[..., 2]
    heel = 40 * (1 - 2 * u) ** 2 + 18 * hump
    foot_down(body, pose, side, where[:, 0], where[:, 2], yaw=yaw - 8.0 * sign, heel=heel)
    pose.ankle[:, side, 1] += lift + j.tuck * hump
    pose.knee[:, side, 2] += sign * (0.12 + 0.5 * open_)


def _jumping_arms(pose: Pose, j: Jumps, cycle: np.ndarray, *, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Sets the arms; (F,) whether both hands are up."""
    air, down = np.sin(np.pi * v), np.sin(np.pi * u) * (u < 1)
    middle = cycle - j.contact / 2 / j.period  # whole numbers in the middle of the time on the ground
    raised = 0.5 - 0.5 * np.cos(np.pi * middle)
    for side in SIDES:
        sign = 2 * side - 1
        if j.arms == "jacks":
            arm(pose, side, 6, 14 + 146 * raised, 8, across=10 + 158 * raised)
        elif j.arms == "star":
            arm(pose, side, 8 - 40 * down, 22 + 108 * air, 12, across=18 + 122 * air)
        elif j.arms == "up":
            arm(pose, side, 150 + 8 * air - 25 * down, -16, 14, across=-6)
        elif j.arms == "balance":
            arm(pose, side, 10 + 15 * air, 55 + 12 * air, 25, across=60 + 15 * air)
        elif j.arms == "waist":
            arm(pose, side, -12, 42, 25, across=-38)
        elif j.arms == "swing":
            arm(pose, side, 15 + 135 * air - 60 * down, 14, 25 + 10 * air - 10 * down, across=10)
        else:
            arm(pose, side, 8 + 22 * air - 12 * down, 16 + 14 * air, 30, across=14)
        pose.elbow[:, side, 2] += 0.05 * sign
    return {"jacks": raised > 0.6, "up": np.ones(len(u), bool)}.get(j.arms, np.zeros(len(u), bool))


@dataclass
class Creep:
    """A way of going on hands and knees: seconds of a whole stride, metres, degrees."""

    period: float
    phase: float
    pitch: float  # of the trunk
    down: float = 0.58  # share of the stride that a limb bears
    lift: float = 0.05


def crawl(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    body, speed, line = anybody(rng), rng.uniform(0.32, 0.60), rng.random() < 0.55
    straightly, round_ = across(rng, t, speed), loop(rng, speed, rng.uniform(0.4, 1.2), rng.uniform(0.65, 0.9))
    path = straightly if line and t[-1] - t[0] < 2 * SHORT else round_
    stride = rng.uniform(0.23, 0.30) * body.height
    creep = Creep(stride / speed, rng.random(), rng.uniform(70, 76), lift=rng.uniform(0.04, 0.07))
    pose, (x, z, yaw) = upright(body, len(t)), path(t)
    sway = wave(t, 1 / creep.period, creep.phase)
    pose.pelvis[:, 0], pose.pelvis[:, 2] = x, z
    pose.turn[:, 0], pose.turn[:, 1] = yaw + 5 * sway, creep.pitch
    _knees(body, pose, creep, path, t)
    fore = body.height * (LUMBAR + THORAX) * np.sin(np.radians(creep.pitch)) + 0.02
    for side in SIDES:
        spot = _planted(creep, path, t, 0.5 * (1 - side) + 0.06, fore=fore, right=(2 * side - 1) * 0.105 * body.height)
        spot[:, 1] = spot[:, 1] * 1.3 + 1.1 * FLESH["hand"] * body.height
        hold(pose, side, spot)
        pose.elbow[:, side] = unit(np.array([0.1, -1.0, 0.55 * (2 * side - 1)]))
    pose.chest[:, 0] += 2.0
    pose.head[:, 0] = -rng.uniform(32, 56) + 6 * drift(rng, t, 0.1, 0.3)
    pose.head[:, 1] = 10 * drift(rng, t, 0.1, 0.3)
    return Play(shown(t, "fours"), [(body, pose)])


def _planted(creep: Creep, path: Path, t: np.ndarray, phase: float, *, fore: float, right: float) -> np.ndarray:
    """(F, 3) a limb that rests at a point beside the path and is then brought on; y is how far it is lifted, 0 while it bears."""
    cycle = t / creep.period + creep.phase + phase
    n = np.floor(cycle)
    v = np.clip((cycle - n - creep.down) / (1 - creep.down), 0, 1)
    places = []
    for k in (n, n + 1):
        x, z, yaw = path((k + creep.down / 2 - creep.phase - phase) * creep.period)
        turn = rotation(yaw)
        places.append(np.stack([x, 0 * x, z], -1) + fore * turn[..., 0] + right * turn[..., 2])
    spot = places[0] + ease(v, 0, 1)[:, None] * (places[1] - places[0])
    spot[:, 1] = creep.lift * np.sin(np.pi * v) ** 2
    return spot


def _knees(body: Body, pose: Pose, creep: Creep, path: Path, t: np.ndarray) -> None:
    """Height and tilt of the pelvis at which both thighs just reach the knees, and the shanks laid along the ground behind."""
    h, flesh = body.height, 1.1 * FLESH["knee"] * body.height
    turn = rotation(*pose.turn.T)
    knees, high = [], []
    for side in SIDES:
        sign = 2 * side - 1
        knee = _planted(creep, path, t, 0.5 * side, fore=-HIP_DROP * h, right=sign * 1.15 * body.hips)
        knee[:, 1] += flesh
        hip = pose.pelvis + turn @ (h * np.array([0, -HIP_DROP, sign * body.hips / h]))
        level = np.linalg.norm((knee - hip)[:, [0, 2]], axis=-1)
        knees.append(knee)
        high.append(knee[:, 1] + np.sqrt(np.maximum((THIGH * h) ** 2 - level**2, 0.01)))
    pose.pelvis[:, 1] = (high[0] + high[1]) / 2 + HIP_DROP * h * np.cos(np.radians(creep.pitch))
    tilt = np.degrees(np.arcsin(np.clip((high[0] - high[1]) / (2 * body.hips * np.sin(np.radians(creep.pitch))), -0.4, 0.4)))
    pose.turn[:, 3] += tilt
    pose.chest[:, 2] -= 0.8 * tilt
    turn = rotation(*pose.turn.T)
    back = -rotation(pose.turn[:, 0])[..., 0]
    for side in SIDES:
        hip = pose.pelvis + turn @ (h * np.array([0, -HIP_DROP, (2 * side - 1) * body.hips / h]))
        knee = hip + THIGH * h * unit(knees[side] - hip)
        fall = np.clip((0.03 * h + 0.5 * (knee[:, 1] - flesh) - knee[:, 1]) / (SHANK * h), -0.3, 0.3)
        shank = np.sqrt(1 - fall**2)[:, None] * back + fall[:, None] * np.array([0, 1.0, 0])
        pose.ankle[:, side] = knee + SHANK * h * shank
        pole = knee - (hip + pose.ankle[:, side]) / 2
        pose.knee[:, side] = np.einsum("fji,fj->fi", turn, unit(pole))
        pose.toe[:, side] = unit(back + np.array([0, -0.10, 0]))
