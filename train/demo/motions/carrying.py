"""On foot with something in hand: a box, a bag that is left behind, a suitcase, a shopping cart, a broom."""

import numpy as np

from demo.motions.gait import Gait, Path, arc, eased, go, straight, stroller
from demo.motions.parts import Play, anybody, arm, breathe, drift, ease, hold, shown, thing
from demo.skeleton import INDEX, LEFT, RIGHT, Body, Pose, rotation, solve, unit
from demo.stage import THINGS, Thing

LONG = 8.0  # seconds; a longer take is walked in circles, or the camera would have to stand far off
USUAL = 1.72  # metres, the height of somebody whose things are of the stage's size
GRIP = 0.08  # metres from a bag's rim to the top of its handles
BAR = 0.97  # where a suitcase's handle is, as a share of its length
AHEAD, ASIDE = 0.50, 0.17  # middle of a broom's strokes from the body, as a share of its height
BROOM_HEAD = 0.65  # from the grip of a broom down to its head, as a share of its length


def _span(t: np.ndarray) -> tuple[float, float]:
    """Middle and length of a take in seconds, rounded so that they do not depend on the frame rate."""
    return round(t[0] + t[-1]) / 2, max(1.0, float(round(t[-1] - t[0])))


def _curve(speed: float, radius: float, yaw: float, *, around: bool, middle: float = 0.0) -> Path:
    """An arc that leaves the origin at time middle towards yaw, or a circle around the origin."""
    bend = arc(speed, radius)

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, z, turned = bend(t - middle)
        at = rotation(np.array(yaw)) @ np.stack([x, 0 * x, z + radius * around])
        return at[0], at[2], yaw + turned

    return path


def _course(rng: np.random.Generator, t: np.ndarray, speed: float) -> Path:
    """Gently curved and through the origin halfway in a short take; round and round in a long one."""
    middle, length = _span(t)
    yaw, side, wide, tight = rng.uniform(0, 360), rng.choice((-1.0, 1.0)), rng.uniform(2.8, 12), rng.uniform(1.8, 2.5)
    long = length > LONG
    return _curve(speed, side * (tight if long else wide), yaw, around=long, middle=middle)


def _spot(origin: np.ndarray, yaw: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(F, 3): x ahead, y up and z to the right of origin (F, 3), facing yaw (F,)."""
    turn = rotation(yaw)
    return origin + np.einsum("fij,fj->fi", turn, np.broadcast_to(np.stack(np.broadcast_arrays(x, y, z), -1), origin.shape))


def _calm(pose: Pose, twist: float) -> None:
    """Both hands on one thing keep the chest from turning with the steps."""
    pose.chest[:, 2] *= twist


def _grasp(pose: Pose, side: int, where: np.ndarray, elbow: tuple[float, float, float]) -> None:
    """A hand on where (F, 3), its elbow pointing elbow (forward, up, outwards)."""
    hold(pose, side, where)
    pose.elbow[:, side] = unit(np.array([elbow[0], elbow[1], elbow[2] * (2 * side - 1)]))


def _look(rng: np.random.Generator, pose: Pose, t: np.ndarray, down: float) -> None:
    """The head looks down by degrees and about a little."""
    pose.head[:, 0] += down + 3 * drift(rng, t)
    pose.head[:, 2] += 9 * drift(rng, t)


def carry_box(rng: np.random.Generator, t: np.ndarray, at: float | None = None, path: Path | None = None) -> Play:
    """Walks with a box before the chest, hands at its sides or under its edges; the heavier, the more one leans back.

    The path is drawn where it is None.
    """
    body, heavy, speed = anybody(rng), rng.random(), rng.uniform(0.75, 1.1)
    scale = rng.uniform(1.1, 1.35) * rng.uniform(0.92, 1.08, 3)
    depth, tall, wide = np.asarray(THINGS["box"]) * scale
    drawn, gait = _course(rng, t, speed), stroller(rng, speed, body)
    path = path or drawn
    pose = go(body, gait, path, t)
    yaw = path(t)[2]
    low = (rng.uniform(0.02, 0.08) - 0.03 * heavy) * body.height
    _calm(pose, 0.25)
    pose.turn[:, 1] -= 1 + 2 * heavy
    pose.chest[:, 0] = -3 - 6 * heavy
    _look(rng, pose, t, 6)
    ahead = 0.155 + depth / 2
    under = rng.random() < 0.4
    for side in (LEFT, RIGHT):
        sign = 2 * side - 1
        y, z = (-0.015, 0.38 * wide) if under else (0.28 * tall, wide / 2 + 0.015)
        _grasp(pose, side, _spot(pose.pelvis, yaw, ahead + 0.04, low + y, sign * z), (-0.5, -0.8, 0.45))
    box = thing("box", len(t), _spot(pose.pelvis, yaw, ahead, low, 0.0), rotation(yaw), scale)
    return Play(shown(t, "carry"), [(body, pose)], [box])


def push_cart(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Walks behind a shopping cart, both hands on its bar, leaning on it a little."""
    body, speed, lean = anybody(rng), rng.uniform(0.65, 1.0), rng.uniform(5, 15)
    scale = rng.uniform(0.95, 1.08)
    length, bar, wide = np.asarray(THINGS["cart"]) * scale
    path, gait = _course(rng, t, speed), stroller(rng, speed, body)
    pose = go(body, gait, path, t)
    x, z, yaw = path(t)
    ground = np.stack([x, 0 * x, z], -1)
    ahead, apart = (0.24 + 0.003 * lean) * body.height, rng.uniform(0.30, 0.42) * wide
    _calm(pose, 0.25)
    pose.turn[:, 1] += 0.4 * lean
    pose.chest[:, 0] += 0.6 * lean
    _look(rng, pose, t, -0.4 * lean)
    for side in (LEFT, RIGHT):
        _grasp(pose, side, _spot(ground, yaw, ahead, bar + 0.01, (2 * side - 1) * apart), (-0.5, -0.7, 0.55))
    cart = thing("cart", len(t), _spot(ground, yaw, ahead + length / 2, 0.0, 0.0), rotation(yaw), scale)
    return Play(shown(t, "cart"), [(body, pose)], [cart])


def pull_suitcase(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Walks and pulls a suitcase that rolls behind on its wheels, tilted towards the hand."""
    body, speed, side = anybody(rng), rng.uniform(0.85, 1.2), int(rng.integers(2))
    h, sign = body.height, 2 * side - 1
    path, gait = _course(rng, t, speed), stroller(rng, speed, body)
    pose = go(body, gait, path, t)
    yaw = path(t)[2]
    pose.chest[:, 2] = 0.5 * pose.chest[:, 2] - 6 * sign
    pose.chest[:, 0] += rng.uniform(1, 5)
    _look(rng, pose, t, 0)
    hand = _spot(pose.pelvis, yaw, -rng.uniform(0.09, 0.13) * h, -rng.uniform(0.055, 0.075) * h, sign * 0.155 * h)
    _grasp(pose, side, hand, (-0.8, 0.1, 0.5))
    long, scale = rng.uniform(0.60, 0.68) * h, rng.uniform(0.95, 1.15)
    grip = solve(body, pose)[:, INDEX[("left_hand", "right_hand")[side]]]
    case = _rolled(grip, path(t - 0.35)[2], long, scale)
    return Play(shown(t, "suitcase"), [(body, pose)], [case])


def _rolled(grip: np.ndarray, yaw: np.ndarray, long: float, scale: float) -> Thing:
    """A suitcase of length long with its handle at grip (F, 3), standing on the lower front edge, where its wheels are."""
    own = THINGS["suitcase"]
    sizes = (scale, long / own[1], scale)
    back, up = own[0] * scale / 2, BAR * long  # from the wheels to the handle
    tilt = np.degrees(np.arccos(np.clip(grip[:, 1] / np.hypot(back, up), -1, 1)) + np.arctan2(back, up))
    turn = rotation(yaw, tilt)
    return thing("suitcase", len(grip), grip - up * turn[..., 1], turn, sizes)


def leave_bag(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Comes with a bag in hand, bends, puts it down on the floor at the time at, straightens up and walks off without it."""
    middle, length = _span(t)
    drawn = middle + rng.uniform(-0.13, 0.05) * length
    at = drawn if at is None else at
    body, side, speed = anybody(rng), int(rng.integers(2)), rng.uniform(0.95, 1.3)
    sign, scale, squat = 2 * side - 1, rng.uniform(1.0, 1.35) * body.height / USUAL, rng.random()
    yaw = rng.uniform(0, 360)
    turned = sign * (rng.uniform(-5, 30) if rng.random() < 0.5 else rng.uniform(60, 160))  # away from the bag
    path = _to_and_off(speed, yaw, turned, at)
    pose = go(body, stroller(rng, speed, body), path, t)
    _loaded(pose, side, t, at)
    stoop = ease(t, at - 0.95, 0.90) * (1 - ease(t, at + 0.15, 0.80))
    _stoop(body, pose, stoop, sign, squat=squat, yaw=yaw)
    breathe(pose, t, rng, 0.6)
    spot = _spot(np.zeros((1, 3)), np.array([yaw]), rng.uniform(0.10, 0.17) * body.height, THINGS["bag"][1] * scale,
                 sign * 0.20 * body.height)[0]  # fmt: skip
    above = GRIP + 0.09 * (1 - ease(t, at - 0.42, 0.36))  # set down from above: a bending back is quicker than the hand
    hold(pose, side, spot + above[:, None] * np.array([0, 1, 0]), ease(t, at - 1.0, 0.80) * (1 - ease(t, at + 0.10, 0.60)))
    grip = solve(body, pose)[:, INDEX[("left_hand", "right_hand")[side]]]
    down = ease(t, at - 0.25, 0.25)[:, None]
    where = (grip - np.array([0, GRIP, 0])) * (1 - down) + spot * down
    bag = thing("bag", len(t), where, rotation(np.array(yaw + 90)), scale)
    shows = shown(t, "withbag", (at - 0.45, "bend"), (at + 0.45, "leftbag"))
    return Play(shows, [(body, pose)], [bag])


def _to_and_off(speed: float, yaw: float, turned: float, at: float) -> Path:
    """To the origin, where one stops before the time at, and off again, turned left by degrees, after it."""
    stop, leave, longest = at - 0.85, at + 0.70 + abs(turned) / 300, (3.0, 4.5)
    come = eased(straight(speed, yaw, longest[0]), [(stop - longest[0], stop)], 0.6)
    off = eased(straight(speed, yaw + turned), [(leave, leave + longest[1])], 0.6)

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, b = come(t), off(t)
        return a[0] + b[0], a[1] + b[1], yaw + turned * ease(t, at + 0.35, 0.7 + abs(turned) / 200)

    return path


def _loaded(pose: Pose, side: int, t: np.ndarray, at: float) -> None:
    """Until the time at a weight hangs on one arm: it hardly swings, and the trunk leans to the other side."""
    with_it, free = 1 - ease(t, at + 0.1, 0.8), pose.hand[:, side].copy()
    elbow = pose.elbow[:, side].copy()
    arm(pose, side, 2, 13, 6, across=9)
    w = with_it[:, None]
    pose.hand[:, side] = free + 0.8 * w * (pose.hand[:, side] - free)
    pose.elbow[:, side] = unit(elbow + 0.8 * w * (pose.elbow[:, side] - elbow))
    pose.chest[:, 1] -= 5 * (2 * side - 1) * with_it


def _stoop(body: Body, pose: Pose, much: np.ndarray, sign: int, *, squat: float, yaw: float) -> None:
    """Bends down to a side, much (F,): with the knees where squat is 1, with the back where it is 0."""
    h = body.height
    hips, back = 48 - 18 * squat, 34 - 8 * squat
    pose.pelvis[:, 1] -= much * (0.09 + 0.12 * squat) * h
    pose.pelvis -= much[:, None] * 0.08 * h * rotation(np.array(yaw))[:, 0]
    pose.turn[:, 1] += much * hips
    pose.chest[:, 0] += much * back
    pose.chest[:, 1] += much * 12 * sign
    pose.head[:, 0] -= much * 12
    lean = rotation(0.0, -much * (hips + back))  # arms hang down from a bent trunk, not along it
    pose.hand = np.einsum("fij,fkj->fki", lean, pose.hand)
    pose.elbow = np.einsum("fij,fkj->fki", rotation(0.0, -0.5 * much * (hips + back)), pose.elbow)


def sweep(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Sweeps the floor with a broom, both hands on its stick, and takes a few steps now and then."""
    body, low = anybody(rng), int(rng.integers(2))
    path, gait = _now_and_then(rng, body)
    pose = go(body, gait, path, t)
    x, z, yaw = path(t)
    ground = np.stack([x, 0 * x, z], -1)
    head, stroke = _strokes(rng, body, t, 2 * low - 1)
    scale, lean = rng.uniform(0.98, 1.08) * body.height / USUAL, rng.uniform(18, 28)
    pose.pelvis += _spot(np.zeros_like(ground), yaw, 0.035 * stroke[:, 0] - 0.03, -0.025 * body.height, 0.03 * stroke[:, 1])
    pose.turn[:, 1] += 0.35 * lean
    pose.chest[:, 0] += 0.65 * lean + 4 * stroke[:, 0]
    pose.turn[:, 0] -= 5 * stroke[:, 1]
    pose.chest[:, 2] -= 9 * stroke[:, 1]
    _look(rng, pose, t, 8)
    broom, turn = _stick(body, head, 2 * low - 1, scale)
    for side, along in ((low, 0.02), (1 - low, 0.22)):
        where = broom + along * scale * THINGS["broom"][1] * turn[..., 1]
        _grasp(pose, side, _spot(ground, yaw, *where.T), (-0.4, -0.5, 0.75))
    tool = thing("broom", len(t), _spot(ground, yaw, *broom.T), rotation(yaw) @ turn, scale)
    return Play(shown(t, "sweep"), [(body, pose)], [tool])


def _now_and_then(rng: np.random.Generator, body: Body) -> tuple[Path, Gait]:
    """A slow way of going in a small circle with rests between."""
    speed, radius = rng.uniform(0.35, 0.55), rng.choice((-1.0, 1.0)) * rng.uniform(0.9, 1.8)
    starts = np.cumsum(rng.uniform(1.6, 3.2, 24)) - 1.5
    stretches = [(float(a), float(a + d)) for a, d in zip(starts, rng.uniform(0.6, 1.1, 24), strict=True)]
    width = rng.uniform(0.025, 0.045) * body.height
    gait = Gait(1.15, rng.random(), width=width, kick=25, lift=0.05, swing=0, lean=0, pace=0.5, dip=0.02, bounce=0.008)
    return eased(_curve(speed, radius, rng.uniform(0, 360), around=True), stretches, 0.5), gait


def _strokes(rng: np.random.Generator, body: Body, t: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """The broom's foot, (F, 3) from the ground under the body in metres, and the stroke (F, 2) ahead, aside: -1..1."""
    hertz, phase, slant = rng.uniform(0.5, 0.8), rng.random(), np.radians(rng.uniform(20, 80))
    size, raised = rng.uniform(0.26, 0.36) * body.height / USUAL, rng.uniform(0.0, 0.05)
    angle = 2 * np.pi * (hertz * t + phase) + 0.4 * drift(rng, t, 0.1, 0.3)
    swing, back = np.cos(angle), np.maximum(np.sin(angle), 0) ** 2
    way = np.array([np.cos(slant), -sign * np.sin(slant)])
    stroke = swing[:, None] * way
    middle = np.array([AHEAD, sign * ASIDE]) * body.height
    at = middle + size * stroke * np.array([0.85, 1.2])
    return np.stack([at[:, 0], raised * back, at[:, 1]], -1), stroke


def _stick(body: Body, head: np.ndarray, sign: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Grip (F, 3) and turn (F, 3, 3) of a broom whose foot is at head and whose stick leans back to the upper hand."""
    thick, long, _ = np.asarray(THINGS["broom"]) * scale
    h = body.height
    ahead, aside = head[:, 0] - AHEAD * h, head[:, 2] - sign * ASIDE * h
    upper = np.stack([0.16 * h + 0.35 * ahead, 0.66 * h - 0.15 * ahead, 0.15 * aside], -1)
    stick = unit(upper - head)
    level = np.sqrt(1 - stick[:, 1] ** 2)
    right = unit(np.cross(stick, [0.0, 1.0, 0.0]))
    right *= np.sign(right[:, 2:])
    turn = np.stack([np.cross(stick, right), stick, right], -1)
    bottom = head + np.stack([0 * level, 0.06 * stick[:, 1] + thick / 2 * level, 0 * level], -1)
    return bottom + BROOM_HEAD * long * stick, turn
