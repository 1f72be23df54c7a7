"""What ends or happens low: falling, lying on the floor, crouching, and picking something up from the floor."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from demo.motions.gait import eased, go, straight, stroller
from demo.motions.parts import Play, anybody, arm, breathe, drift, ease, foot_down, hold, keys, leg, shown, thing, upright
from demo.motions.staying import SIDES, placed, stance
from demo.skeleton import FLESH, FOOT, INDEX, Body, Pose, mix, rotation, solve, unit
from demo.stage import Thing

FRONT, BACK, SIDE, FAINT = "front", "back", "side", "faint"
WALKED = 1.7  # seconds of walking before a fall, at most: farther than that the picture would be too wide


def through(t: np.ndarray, at: list[float], values: np.ndarray) -> np.ndarray:
    """Values (K, ...) at times at, on curves that neither stop nor overshoot between them; still at both ends.

    Monotone cubics of Fritsch and Carlson (1980), with the slopes of Fritsch and Butland (1984).
    """
    v = np.asarray(values, float)
    step = np.diff(at).reshape(-1, *[1] * (v.ndim - 1))
    rise = np.diff(v, axis=0) / step
    slope = np.zeros_like(v)
    same = rise[1:] * rise[:-1] > 0
    w1, w2 = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope[1:-1] = np.where(same, (w1 + w2) / (w1 / rise[:-1] + w2 / rise[1:]), 0)
    i = np.clip(np.searchsorted(at, t, side="right") - 1, 0, len(at) - 2)
    u = np.clip((t - np.asarray(at)[i]) / np.diff(at)[i], 0, 1).reshape(-1, *[1] * (v.ndim - 1))
    a, b, h = v[i], v[i + 1], step[i]
    return (a * (1 + 2 * u) + h * slope[i] * u) * (1 - u) ** 2 + (b * (3 - 2 * u) - h * slope[i + 1] * (1 - u)) * u * u


def run_through(t: np.ndarray, at: list[float], poses: list[Pose]) -> Pose:
    """Poses of one frame each, gone through at times at, as poses of len(t) frames."""
    return Pose(**{f.name: through(t, at, np.stack([getattr(p, f.name)[0] for p in poses])) for f in fields(Pose)})


def still(pose: Pose, frames: int) -> Pose:
    """A pose of one frame, held for that many."""
    return Pose(**{f.name: np.repeat(getattr(pose, f.name)[:1], frames, 0) for f in fields(Pose)})


# Lying ---------------------------------------------------------------------------------------------------------------------------


def floor_arm(pose: Pose, side: int, out: float, bend: float, floor: float) -> None:
    """An arm on the floor in the plane of the chest: degrees away from the body and further up at the elbow.

    floor: how far forward the floor is at the hand, in arm lengths, -0.05 lying on the back and 0.05 on the front.
    """
    sign, a, b = 2 * side - 1, np.radians(out), np.radians(out + bend)
    upper, lower = (np.array([0.0, -np.cos(v), sign * np.sin(v)]) for v in (a, b))
    pose.hand[:, side] = 0.482 * upper + 0.518 * lower + np.array([floor, 0, 0])
    pose.elbow[:, side] = unit(upper - lower + np.array([0.3 * floor, -0.05, 0.12 * sign]))


def on_back(rng: np.random.Generator, body: Body, where: tuple[float, float], yaw: float, roll: float = 0.0) -> Pose:
    """Lies face up with the pelvis over where (x, z) and the head away from where yaw faces.

    With roll (90 right, -90 left) the same is reached by rolling to that side and about the own axis, facing yaw before.
    """
    pose, h = upright(body, 1), body.height
    pose.pelvis[:] = where[0], (FLESH["pelvis"] + 0.008) * h, where[1]
    pose.turn[:] = (yaw, 0, roll, roll) if roll else (yaw, -90, 0, 0)
    pose.head[:, 2] = rng.uniform(-55, 55)
    bent = int(rng.integers(6))  # the leg that is drawn up, if any: 0 or 1
    for side, sign in SIDES:
        swing = rng.uniform(42, 58) if side == bent else -3.0
        bend = swing + rng.uniform(40, 52) if swing > 0 else rng.uniform(1, 6)
        point = swing - bend + 90 if swing > 0 else rng.uniform(5, 35)
        leg(body, pose, side, swing, rng.uniform(3, 20), bend=bend, point=point)
        style = rng.random()
        if style < 0.25:
            arm(pose, side, rng.uniform(5, 20), 25, 62, across=-62 + 3 * sign)
        else:
            floor_arm(pose, side, *_spread(rng), -0.05)
    return pose


def _spread(rng: np.random.Generator) -> tuple[float, float]:
    """Arm beside the body, flung out, or up beside the head: out and bend for floor_arm."""
    style = rng.random()
    if style < 0.4:
        return rng.uniform(14, 35), rng.uniform(-5, 20)
    return (rng.uniform(60, 95), rng.uniform(0, 30)) if style < 0.75 else (rng.uniform(85, 105), rng.uniform(60, 95))


def on_front(rng: np.random.Generator, body: Body, where: tuple[float, float], yaw: float) -> Pose:
    """Lies face down, the head turned aside and towards yaw."""
    pose, h = upright(body, 1), body.height
    pose.pelvis[:] = where[0], (FLESH["pelvis"] + 0.008) * h, where[1]
    pose.turn[:] = yaw, 90, 0, 0
    pose.head[:, 2] = rng.choice((-1, 1)) * rng.uniform(66, 80)
    pose.head[:, 0] = -4
    bent = int(rng.integers(5))  # the leg that is drawn up sideways, if any: 0 or 1
    for side, _ in SIDES:
        knee = rng.uniform(25, 60) if side == bent else rng.uniform(0, 8)
        leg(body, pose, side, 1.0, rng.uniform(4, 14) + 0.7 * knee, bend=2.0, point=72)
        if side == bent:
            pose.ankle[:, side] += _along(pose, np.array([0.0, 0.16 * h, 0.0]))
            pose.knee[:, side] = unit(np.array([0.15, 0.1, 2 * side - 1]))
        floor_arm(pose, side, *(_spread(rng) if rng.random() < 0.5 else (rng.uniform(80, 105), rng.uniform(55, 95))), 0.05)
    return pose


def _along(pose: Pose, v: np.ndarray) -> np.ndarray:
    """A vector of the pelvis's frame in the pose's."""
    return np.einsum("fij,j->fi", rotation(*pose.turn.T), v)


def on_side(rng: np.random.Generator, body: Body, where: tuple[float, float], yaw: float, side: int, *, curl: float) -> Pose:
    """Lies on the side given, facing yaw, legs drawn up by curl degrees at the hips."""
    pose, h, sign = upright(body, 1), body.height, 2 * side - 1
    pose.pelvis[:] = where[0], 0.103 * h, where[1]
    pose.turn[:] = yaw, rng.uniform(-6, 6), 90 * sign, 0
    pose.chest[:, 1] = -16 * sign
    pose.head[:, 1] = 30 * sign
    pose.head[:, 0] = rng.uniform(-5, 20)
    pose.chest[:, 0] = 0.25 * curl
    upper, out = 1 - side, rng.uniform(0, 20)
    leg(body, pose, side, curl + rng.uniform(-5, 10), 2, bend=curl * 1.15 + 8, point=25)
    leg(body, pose, upper, curl + out, -9, bend=curl * 1.15 + 10 + 0.6 * out, point=25)
    arm(pose, side, rng.uniform(70, 120), 2, rng.uniform(5, 50))
    pose.hand[:, upper] = rng.uniform(0.42, 0.6), rng.uniform(-0.35, -0.1), -(1 - 2 * side) * rng.uniform(0.4, 0.5)
    pose.elbow[:, upper] = unit(np.array([0.2, -1.0, 0.3 * (1 - 2 * side)]))
    return pose


def lie(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Lies on the floor all the time."""
    body, yaw, how, side = anybody(rng), rng.uniform(0, 360), rng.choice((BACK, BACK, SIDE, FRONT)), int(rng.integers(2))
    pose = still(_lying(rng, body, str(how), yaw, side), len(t))
    _stir(rng, t, pose)
    return Play(shown(t, "lie"), [(body, pose)])


def _lying(rng: np.random.Generator, body: Body, how: str, yaw: float, side: int) -> Pose:
    if how == SIDE:
        return on_side(rng, body, (0.0, 0.0), yaw, side, curl=rng.uniform(5, 65))
    return (on_back if how == BACK else on_front)(rng, body, (0.0, 0.0), yaw)


def _stir(rng: np.random.Generator, t: np.ndarray, pose: Pose) -> None:
    """The little that a lying body moves."""
    breathe(pose, t, rng, 0.25)
    pose.head[:, 2] += 5 * drift(rng, t, 0.05, 0.2)


# Falling -------------------------------------------------------------------------------------------------------------------------


def fall(rng: np.random.Generator, t: np.ndarray, at: float | None = None, walked: float | None = None) -> Play:
    """Stands or walks, loses balance at `at`, falls and stays lying. With walked, walks for so many seconds before."""
    body, yaw, span = anybody(rng), rng.uniform(0, 360), float(t[-1] - t[0])
    moment = float(t[0]) + rng.uniform(0.25, 0.5) * span
    at = moment if at is None else at
    how, walks = str(rng.choice((FRONT, BACK, SIDE, FAINT))), rng.random() < 0.55
    walks, walked = walks or walked is not None, walked or WALKED
    before, start, reach = _before(rng, t, body, at, walked if walks else 0.0)
    last = rng.uniform(0.75, 1.2)
    shares, poses = FALLS[how](rng, body, start)
    down = run_through(t, [at + last * s for s in shares], poses)
    _stir(rng, t, down)
    pose = mix(before, down, ease(t, at, 0.35 * last))
    pose, _ = placed(pose, [], yaw, rotation(yaw) @ np.array([0.45 * reach, 0, 0]))
    changes = (at + 0.3 * last, "tilt"), (at + 0.97 * last, "lie")
    if walks:
        changes = (at - walked - 0.2, "walk"), *changes
    return Play(shown(t, "stand", *changes), [(body, pose)])


def _before(rng: np.random.Generator, t: np.ndarray, body: Body, at: float, walked: float) -> tuple[Pose, Pose, float]:
    """Standing, or walking for so many seconds until at, the pose it freezes in, and the way walked, metres. Ends at the origin."""
    if not walked:
        place = rng.integers(2**31)
        stood = lambda times: _at_ease(np.random.default_rng(place), times, body)  # noqa: E731
        return stood(t), stood(np.array([at])), 0.0
    speed, slip = rng.uniform(0.9, 1.2), rng.uniform(0.12, 0.2)
    gait, path = stroller(rng, speed, body), eased(straight(speed), [(at - walked, at + 100)])
    gait.phase = rng.random() - at / gait.period
    # The walker's own time runs out shortly after at, so that a foot stops in the air or on the ground as it is.
    own = lambda times: np.where(times < at, times, at + slip * (1 - np.exp(-np.maximum(times - at, 0) / slip)))  # noqa: E731
    gone, end = (go(body, gait, path, own(v)) for v in (t, np.array([at + 100])))
    x = path(np.array([at + slip]))[0][0]
    return gone.moved(np.array([-x, 0, 0]), 0.0), end.moved(np.array([-x, 0, 0]), 0.0), min(walked, at) * speed


def _at_ease(rng: np.random.Generator, t: np.ndarray, body: Body) -> Pose:
    pose = stance(rng, t, body)
    breathe(pose, t, rng)
    return pose


def _key(start: Pose, body: Body, place: tuple[float, float, float], turn: tuple[float, float, float], chest: float) -> Pose:
    """A key pose on the way down: feet as in start, pelvis at place in heights, turn as pitch, roll, spin."""
    pose = start.copy()
    pose.pelvis[:] = body.height * np.asarray(place)
    pose.turn[:, 0] = 0
    pose.turn[:, 1:] = turn
    pose.chest[:] = chest, 0, 0
    pose.head[:] = 0
    return pose


def _flail(rng: np.random.Generator, pose: Pose, swing: float, out: float, bend: float) -> Pose:
    for side, _ in SIDES:
        arm(pose, side, swing + rng.uniform(-18, 18), out + rng.uniform(-12, 12), bend + rng.uniform(-10, 15))
    return pose


def _tiptoe(body: Body, pose: Pose, heel: float, yaw: float = 0.0) -> None:
    """Raises the heels about the balls of the feet, wherever these are."""
    ball = pose.ankle + FOOT * body.height * pose.toe
    flat = ball - rotation(np.array(yaw))[..., 0] * FOOT * body.height * 0.97
    for side, _ in SIDES:
        foot_down(body, pose, side, flat[:, side, 0], flat[:, side, 2], yaw=yaw, heel=heel)


def _forward(rng: np.random.Generator, body: Body, start: Pose) -> tuple[list[float], list[Pose]]:
    """Trips over: topples about the feet, the hands go out, and lands on the front."""
    far = rng.uniform(0.50, 0.62)
    tip = _flail(rng, _key(start, body, (0.20, 0.48, 0.0), (22, 0, 0), 14), 55, 30, 25)
    low = _flail(rng, _key(start, body, (0.42, 0.31, 0.0), (58, 0, 0), 8), 105, 18, 12)
    _tiptoe(body, tip, 25)
    _tiptoe(body, low, 55)
    low.head[:, 0] = -25
    low.knee[:] = unit(np.array([0.6, 0.8, 0.0]))  # level, though the pelvis is pitched
    end = on_front(rng, body, (far * body.height, 0.0), 0.0)
    return [0, 0.42, 0.74, 1.0, 1.3], [start, tip, low, _softer(end, start), end]


def _backward(rng: np.random.Generator, body: Body, start: Pose) -> tuple[list[float], list[Pose]]:
    """Slips: sits down backwards, rolls on to the back, legs thrown up a little."""
    kick = rng.uniform(0.03, 0.22)
    tip = _flail(rng, _key(start, body, (-0.15, 0.455, 0.0), (-18, 0, 0), 8), 60, 50, 20)
    low = _flail(rng, _key(start, body, (-0.27, 0.19, 0.0), (-45, 0, 0), 14), -25, 45, 15)
    end = on_back(rng, body, (-0.46 * body.height, 0.0), 0.0)
    hit = _softer(end, start)
    for side, sign in SIDES:
        tip.ankle[:, side] += body.height * np.array([0.06, 0.35 * kick, 0])
        low.ankle[:, side] = body.height * np.array([0.12 + 0.03 * sign, 0.05 + kick, sign * 0.09])
        hit.ankle[:, side] = body.height * np.array([-0.06 + 0.03 * sign, 0.06 + 0.8 * kick, sign * 0.09])
        for pose in (tip, low):
            pose.toe[:, side] = unit(np.array([0.8, 0.6, 0.1 * sign]))
    low.head[:, 0] = 25
    return [0, 0.40, 0.72, 1.0, 1.5], [start, tip, low, hit, end]


def _softer(end: Pose, start: Pose) -> Pose:
    """The pose of the impact: the end's, but arms and head still on their way."""
    hit = end.copy()
    hit.hand = 0.8 * end.hand + 0.2 * start.hand
    hit.head *= 0.5
    return hit


def _sideways(rng: np.random.Generator, body: Body, start: Pose) -> tuple[list[float], list[Pose]]:
    """Topples to one side, and stays on it or rolls on to the back."""
    side = int(rng.integers(2))
    sign, over = 2 * side - 1, rng.random() < 0.5
    turned = 35 * sign if over else 0
    tip = _flail(rng, _key(start, body, (0.0, 0.47, 0.17 * sign), (0, 24 * sign, 0.4 * turned), 4), 25, 70, 15)
    low = _flail(rng, _key(start, body, (0.02, 0.27, 0.36 * sign), (0, 57 * sign, turned), 6), 35, 75, 20)
    arm(low, side, 35, 8, 55)  # or the hand would reach the ground long before the rest
    place = (0.0, 0.46 * body.height * sign)
    end = on_back(rng, body, place, 0.0, 90.0 * sign) if over else on_side(rng, body, place, 0.0, side, curl=rng.uniform(0, 30))
    hit = _softer(end, start)
    for pose, up in ((tip, 0.04), (low, 0.12)):  # the far foot leaves the ground
        pose.ankle[:, 1 - side, 1] += up * body.height
        pose.chest[:, 1] = -10 * sign
    return [0, 0.42, 0.75, 1.0, 1.35], [start, tip, low, hit, end]


def _fainting(rng: np.random.Generator, body: Body, start: Pose) -> tuple[list[float], list[Pose]]:
    """Collapses: the knees give way and meet the ground, and the body goes down over them."""
    h, side = body.height, int(rng.integers(2))
    sag = _flail(rng, _key(start, body, (0.03, 0.42, 0.0), (10, 0, 0), 20), 8, 10, 10)
    kneel = _flail(rng, _key(start, body, (0.13, 0.30, 0.0), (12, 0, 0), 22), 12, 12, 15)
    _tiptoe(body, sag, 20)
    for pose in (sag, kneel):
        pose.head[:, 0] = 30
    for k, sign in SIDES:
        kneel.ankle[:, k] = h * np.array([-0.09, 0.075, 0.06 * sign])
        kneel.toe[:, k] = unit(np.array([0.75, -0.55, 0.1 * sign]))
    if rng.random() < 0.5:
        end = on_front(rng, body, (0.37 * h, 0.0), 0.0)
        lean = _flail(rng, _key(kneel, body, (0.28, 0.24, 0.0), (52, 0, 0), 18), 40, 20, 20)
        lean.knee[:] = unit(np.array([0.6, 0.8, 0.0]))
    else:
        sign = 2 * side - 1
        end = on_side(rng, body, (0.14 * h, 0.17 * h * sign), 0.0, side, curl=rng.uniform(8, 35))
        lean = _flail(rng, _key(kneel, body, (0.14, 0.23, 0.07 * sign), (14, 42 * sign, 0), 20), 30, 25, 20)
    return [0, 0.26, 0.50, 0.78, 1.05, 1.35], [start, sag, kneel, lean, _softer(end, start), end]


FALLS: dict[str, Callable[[np.random.Generator, Body, Pose], tuple[list[float], list[Pose]]]] = {
    FRONT: _forward, BACK: _backward, SIDE: _sideways, FAINT: _fainting,
}  # fmt: skip


# Low on the feet -----------------------------------------------------------------------------------------------------------------


def crouch(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Squats low, or kneels on one knee, all the time."""
    body, yaw, knee = anybody(rng), rng.uniform(0, 360), rng.random() < 0.2
    pose = (_one_knee if knee else squat)(rng, t, body)
    pose.pelvis[:, 1] += 0.006 * body.height * drift(rng, t)
    breathe(pose, t, rng, 0.8)
    _crouched_hands(rng, t, body, pose)
    pose, _ = placed(pose, [], yaw)
    return Play(shown(t, "crouch"), [(body, pose)])


def squat(rng: np.random.Generator, t: np.ndarray, body: Body) -> Pose:
    """Both feet down, heels flat or raised, knees bent as far as they go."""
    pose, h = upright(body, len(t)), body.height
    heel, wide = rng.choice((0.0, 1.0)) * rng.uniform(20, 40), rng.uniform(0.02, 0.10)
    lean = rng.uniform(22, 40) - 0.4 * heel
    pose.pelvis[:] = -0.115 * h + 0.0022 * h * heel, (0.235 + 0.0012 * heel) * h, 0.0
    pose.turn[:, 1], pose.chest[:, 0], pose.head[:, 0] = 0.5 * lean, 0.5 * lean, -0.6 * lean + rng.uniform(-5, 15)
    for side, sign in SIDES:
        x, out = sign * rng.uniform(-0.04, 0.04), rng.uniform(8, 25)
        foot_down(body, pose, side, x, sign * (body.hips + wide), yaw=-sign * out, heel=heel)
        pose.knee[:, side] = unit(np.array([1.0, 0.4, sign * rng.uniform(0.15, 0.55)]))
    return pose


def _one_knee(rng: np.random.Generator, t: np.ndarray, body: Body) -> Pose:
    pose, h, front = upright(body, len(t)), body.height, int(rng.integers(2))
    lean, sign = rng.uniform(5, 35), 2 * front - 1
    pose.pelvis[:] = 0.0, 0.295 * h, 0.0
    pose.turn[:, 1], pose.chest[:, 0], pose.head[:, 0] = 0.4 * lean, 0.6 * lean, -0.5 * lean + rng.uniform(0, 12)
    foot_down(body, pose, front, np.asarray(0.24 * h), sign * (body.hips + 0.03), yaw=-sign * 6)
    foot_down(body, pose, 1 - front, np.asarray(-0.24 * h), -sign * body.hips, yaw=sign * 4, heel=55)
    pose.knee[:, front] = 1, 0.3, 0.1 * sign
    pose.knee[:, 1 - front] = 0.5, -1, 0
    return pose


def _crouched_hands(rng: np.random.Generator, t: np.ndarray, body: Body, pose: Pose) -> None:
    """On the knees, hanging between them, at something on the floor, or over the head as one who takes cover."""
    h, style = body.height, rng.random()
    if style > 0.88:
        pose.chest[:, 0] += 22
        pose.head[:, 0] += 30
    joints = solve(body, pose)
    head, crown, face = (joints[:, INDEX[name]] for name in ("head", "crown", "face"))
    nape = head + 0.5 * (crown - head) - 1.5 * (face - head)
    busy = np.stack([0.03 * drift(rng, t, 0.2, 0.8) for _ in range(3)], -1)
    for side, sign in SIDES:
        knee = joints[:, INDEX["right_knee" if side else "left_knee"]]
        pose.elbow[:, side] = unit(np.array([-0.3, -0.5, 0.9 * sign]))
        if style < 0.4:
            hold(pose, side, knee + np.array([0.0, 0.055, -0.02 * sign]))
        elif style < 0.65:
            middle = joints[:, [INDEX["left_knee"], INDEX["right_knee"]]].mean(1)
            hold(pose, side, middle + 0.4 * busy + np.array([0.05, 0.02, 0.05 * sign]))
        elif style < 0.88:
            floor = pose.pelvis * [1, 0, 1] + h * np.array([0.30, 0.05, 0.035 * sign])
            hold(pose, side, floor + busy * [1, 0.5, sign])
        else:
            hold(pose, side, nape + np.array([0.0, 0.0, 0.05 * sign]))
            pose.elbow[:, side] = unit(np.array([0.8, 0.1, 0.5 * sign]))


# Picking up ----------------------------------------------------------------------------------------------------------------------

HELD = {"box": "carry", "bag": "withbag", "ball": "ball"}


@dataclass(frozen=True)
class Pickup:
    """What is picked up, with which hand if with one; when hands are on it, when it leaves the floor and when it is up, seconds."""

    kind: str
    side: int
    down: float
    lift: float
    up: float


def pick_up(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Stands, bends down from `at` on, takes a box, a bag or a ball from the floor, and rises with it."""
    body, yaw, span = anybody(rng), rng.uniform(0, 360), float(t[-1] - t[0])
    moment = float(t[0]) + rng.uniform(0.12, 0.35) * span
    kind, side, deep = str(rng.choice(list(HELD), p=[0.44, 0.32, 0.24])), int(rng.integers(2)), rng.uniform(0, 1)
    a = moment if at is None else at
    b = a + rng.uniform(0.75, 1.1)
    c = b + rng.uniform(0.2, 0.4)
    d = c + rng.uniform(0.8, 1.15)
    stood = _at_ease(rng, t, body)
    down = _bent(rng, body, stood, deep, side if kind == "bag" else None)
    pose = mix(stood, down, keys(t, [a, b, c, d], [0, 1, 1, 0]))
    what = Pickup(kind, side, b, c, d)
    goods = (_take_bag if kind == "bag" else _take_both)(rng, t, body, pose, what)
    pose, goods = placed(pose, goods, yaw)
    changes = (a + 0.35 * (b - a), "bend"), (c + 0.7 * (d - c), HELD[kind])
    return Play(shown(t, "stand", *changes), [(body, pose)], goods)


def _bent(rng: np.random.Generator, body: Body, stood: Pose, deep: float, side: int | None) -> Pose:
    """Down at the floor with the feet as in stood: stooping (deep 0) to squatting (deep 1); to one side where side is given."""
    pose, h = stood.copy(), body.height
    sign = 0 if side is None else 2 * side - 1
    pose.pelvis[:, 0] = h * (-0.12 + 0.03 * deep)
    pose.pelvis[:, 1] = h * (0.43 - 0.15 * deep)
    pose.pelvis[:, 2] += 0.02 * sign
    pose.turn[:, 1], pose.turn[:, 2] = 72 - 22 * deep, 4 * sign
    pose.chest[:, 0], pose.chest[:, 1] = 42 - 16 * deep, 9 * sign
    pose.head[:, 0] = -25 + 10 * deep
    for k, s in SIDES:
        pose.knee[:, k] = unit(np.array([1.0, 0.2, s * (0.15 + 0.35 * deep)]))
        if side is None or k == side:
            arm(pose, k, 80, 6, 10)
        else:
            arm(pose, k, 60, 15, 45, across=-25)
    return pose


def _take_both(rng: np.random.Generator, t: np.ndarray, body: Body, pose: Pose, what: Pickup) -> list[Thing]:
    """A box or a ball between both hands: on the floor before the feet until it is lifted, and then before the belly."""
    b, c, d, kind = what.down, what.lift, what.up, what.kind
    h, scale = body.height, rng.uniform(0.75, 1.05) if kind == "box" else rng.uniform(0.95, 1.2)
    goods = thing(kind, len(t), scale=scale)
    deep, tall, wide = goods.size
    floor = np.array([0.135 * h + deep / 2, 0.0, 0.0])
    carried = np.array([0.10 * h + 0.5 * deep + rng.uniform(0.02, 0.06), h * rng.uniform(0.53, 0.62) - tall / 2, 0.0])
    out = np.array([0.06, 0.0, 0.0]) * np.sin(np.pi * ease(t, c, d - c))[:, None]
    where = floor + (carried - floor) * ease(t, c, d - c)[:, None] + out
    where += ease(t, d, 0.5)[:, None] * 0.01 * np.stack([drift(rng, t) for _ in range(3)], -1)
    goods.pose[:, :3, 3] = where
    for side, sign in SIDES:
        hold(pose, side, where + np.array([0.0, 0.5 * tall, sign * (wide / 2 + 0.025)]), ease(t, b - 0.45, 0.45))
    return [goods]


def _take_bag(rng: np.random.Generator, t: np.ndarray, body: Body, pose: Pose, what: Pickup) -> list[Thing]:
    """A bag by its grip in one hand: on the floor beside and before the foot, and then hanging beside the body."""
    b, c, d, side = what.down, what.lift, what.up, what.side
    h, sign = body.height, 2 * side - 1
    goods = thing("bag", len(t), turn=rotation(90.0), scale=rng.uniform(0.9, 1.15))
    floor = np.array([0.16 * h, goods.size[1], sign * (0.17 * h)])
    carried = np.array([0.02, 0.432 * h, sign * (0.175 * h)])
    lift = keys(t, [c, d], [0, 1])[:, None]
    where = floor + (carried - floor) * lift + np.array([0, 0, 0.05 * sign]) * np.sin(np.pi * lift)
    where += ease(t, d, 0.5)[:, None] * 0.008 * np.stack([drift(rng, t) for _ in range(3)], -1)
    goods.pose[:, :3, 3] = where
    hold(pose, side, where + np.array([0, 0.05, 0]), ease(t, b - 0.45, 0.45))
    return [goods]
