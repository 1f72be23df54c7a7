"""Two people close to each other: fighting, hugging, shaking hands."""

from dataclasses import dataclass

import numpy as np

from demo.motions.gait import Path, go, stroller
from demo.motions.parts import Play, anybody, arm, breathe, ease, foot_down, hold, leg, shown, upright, wave
from demo.skeleton import INDEX, LEFT, RIGHT, Body, Pose, rotation, solve, unit

UP = np.array([0.0, 1.0, 0.0])
BLOWS = 110  # drawn for every fight: enough for a minute


@dataclass
class Steps:
    """How somebody shuffles about: seconds of two steps; where the feet stand ahead of and beside the body, metres; degrees."""

    period: float
    phase: float
    ahead: tuple[float, float]
    beside: tuple[float, float]
    turned: tuple[float, float]
    heel: tuple[float, float] = (0.0, 0.0)
    down: float = 0.62


def _shuffle(body: Body, pose: Pose, t: np.ndarray, path: Path, steps: Steps) -> None:
    """Feet follow the path in small steps and rest in between; where the path rests, they rest."""
    for side in (LEFT, RIGHT):
        own = steps.phase + 0.5 * side
        n = np.floor(t / steps.period + own)
        u = t / steps.period + own - n
        spots = []
        for k in (n, n + 1):
            x, z, yaw = path((k + steps.down / 2 - own) * steps.period)
            turn = rotation(yaw)
            spots.append((x + steps.ahead[side] * turn[:, 0, 0] + steps.beside[side] * turn[:, 0, 2],
                          z + steps.ahead[side] * turn[:, 2, 0] + steps.beside[side] * turn[:, 2, 2],
                          yaw + steps.turned[side]))  # fmt: skip
        w = ease(u, steps.down, 1 - steps.down)
        x, z, yaw = (a * (1 - w) + b * w for a, b in zip(*spots, strict=True))
        far = np.hypot(spots[1][0] - spots[0][0], spots[1][1] - spots[0][1]) + np.abs(spots[1][2] - spots[0][2]) / 200
        foot_down(body, pose, side, x, z, yaw=yaw, heel=steps.heel[side])
        pose.ankle[:, side, 1] += np.minimum(0.4 * far, 0.10) * np.sin(np.pi * w) ** 2


def _pulse(t: np.ndarray, at: float, rise: float, stay: float, fall: float) -> np.ndarray:
    """0, up to 1 at time at, there for stay seconds, and back."""
    return ease(t, at - rise, rise) - ease(t, at + stay, fall)


# --- fighting ---------------------------------------------------------------------------------------------------------------


@dataclass
class Blow:
    """One attack: when it lands, by whom (0, 1), of what kind, with which hand or foot, and how far it drives the other, metres."""

    at: float
    who: int
    kind: str
    side: int
    push: float


@dataclass
class Fighter:
    body: Body
    lead: int  # the foot and hand in front
    steps: Steps
    crouch: float
    guard: tuple[float, float, float]  # arms: swing, out, bend in degrees
    bob: tuple[float, float]  # hertz, phase
    lean: float


def fight(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Two people beat each other: punches, now and then a kick, a shove or a grip, with a guard up and steps around each other."""
    wild = bool(rng.random() < 0.5)
    pair = [_fighter(rng, wild) for _ in range(2)]
    blows = _blows(rng, wild)
    paths = _ring(rng, blows)
    poses = [_stance(pair[k], t, paths[k]) for k in range(2)]
    for blow in _near(blows, t):
        _lunge(poses[blow.who], blow, t)
        _recoil(poses[1 - blow.who], blow, t)
    marks = [solve(f.body, p) for f, p in zip(pair, poses, strict=True)]
    for k in range(2):
        _hands(poses[k], [b for b in _near(blows, t) if b.who == k and b.kind != "kick"], t, marks[k], marks[1 - k])
        for blow in _near(blows, t):
            if blow.who == k and blow.kind == "kick":
                _kick(pair[k].body, poses[k], blow, t)
    return Play(shown(t, "fight"), [(f.body, p) for f, p in zip(pair, poses, strict=True)])


def _fighter(rng: np.random.Generator, wild: bool) -> Fighter:
    body, lead = anybody(rng), int(rng.random() < 0.25)
    sign = 2 * lead - 1
    long, wide = rng.uniform(0.16, 0.24), rng.uniform(0.10, 0.17)
    front, rear = (long, sign * wide, -10.0 * sign), (-long, -sign * wide, 35.0 * sign)
    ahead, beside, turned = zip(*((front, rear) if lead == LEFT else (rear, front)), strict=True)
    heel = (0.0, 18.0) if lead == LEFT else (18.0, 0.0)
    guard = (rng.uniform(28, 46), rng.uniform(16, 30), rng.uniform(98, 118)) if wild else (
        rng.uniform(30, 44), rng.uniform(6, 16), rng.uniform(112, 124))  # fmt: skip
    steps = Steps(rng.uniform(0.46, 0.6), rng.random(), ahead, beside, turned, heel)
    return Fighter(body, lead, steps, rng.uniform(0.05, 0.10), guard, (rng.uniform(1.3, 2.1), rng.random()), rng.uniform(6, 16))


def _blows(rng: np.random.Generator, wild: bool) -> list[Blow]:
    """Attacks one after the other, in flurries of one person."""
    out, when, who, side = [], rng.uniform(0.1, 0.5), int(rng.random() < 0.5), RIGHT
    for _ in range(BLOWS):
        if rng.random() < 0.5:
            who, side = 1 - who, int(rng.random() < 0.6)
        kind = str(rng.choice(("punch", "hook", "kick", "shove", "grip"), p=(0.40, 0.26, 0.10, 0.12, 0.12) if wild else (
            0.60, 0.20, 0.14, 0.06, 0.0)))  # fmt: skip
        push = {"shove": rng.uniform(0.22, 0.38), "kick": rng.uniform(0.08, 0.22)}.get(kind, 0.18 * (rng.random() < 0.3))
        if kind == "kick" and out:
            when += 0.35
        out.append(Blow(when, who, kind, side, push))
        side = 1 - side
        when += rng.uniform(0.42, 0.75) + {"kick": 0.45, "shove": 0.35, "grip": 0.1}.get(kind, 0.0)
    return out


def _near(blows: list[Blow], t: np.ndarray) -> list[Blow]:
    """The blows that can be seen at times t."""
    return [b for b in blows if t.min() - 3 < b.at < t.max() + 3]


def _ring(rng: np.random.Generator, blows: list[Blow]) -> tuple[Path, Path]:
    """Where the two stand: facing each other, turning about a point between them, driven back by blows."""
    yaw, rate, gap = rng.uniform(0, 360), rng.choice((-1, 1)) * rng.uniform(5, 26), rng.uniform(0.77, 0.89)
    sway, slow, phase = rng.uniform(4, 14), rng.uniform(0.15, 0.35), rng.random(4)

    def path(k: int) -> Path:
        def spot(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            turn = yaw + rate * t + sway * wave(t, slow, phase[0])
            out = gap / 2 + 0.03 * wave(t, 0.3, phase[1])
            for b in _near(blows, t):
                if b.kind == "kick":
                    out = out + 0.11 * _pulse(t, b.at - 0.1, 0.5, 0.25, 0.6)
                if b.who != k and b.push:
                    out = out + b.push * _pulse(t, b.at + 0.32, 0.30, 0.15, 0.8)
            sign = 2 * k - 1
            x = 0.15 * wave(t, 0.11, phase[2]) + sign * out * np.cos(np.radians(turn))
            z = 0.15 * wave(t, 0.13, phase[3]) - sign * out * np.sin(np.radians(turn))
            return x, z, turn + 180 * k

        return spot

    return path(0), path(1)


def _stance(f: Fighter, t: np.ndarray, path: Path) -> Pose:
    """On guard: half turned, knees bent, fists up, on the balls of the feet."""
    pose = upright(f.body, len(t))
    x, z, yaw = path(t)
    _shuffle(f.body, pose, t, path, f.steps)
    sign = 2 * f.lead - 1  # the body is turned away from its leading side
    pose.pelvis[:, 0], pose.pelvis[:, 2], pose.turn[:, 0] = x, z, yaw + 24 * sign
    pose.pelvis[:, 1] -= f.crouch - 0.014 * wave(t, *f.bob)
    pose.turn[:, 1] = 0.4 * f.lean
    pose.chest[:, 0] = 0.8 * f.lean
    pose.chest[:, 1] = 3 * wave(t, 0.47 * f.bob[0], f.bob[1])
    pose.chest[:, 2] = 10 * sign + 5 * wave(t, 0.31 * f.bob[0], f.bob[1])
    pose.head[:, 0] = -0.6 * f.lean
    pose.head[:, 2] = -32 * sign
    swing, out, bend = f.guard
    for side in (LEFT, RIGHT):
        more = wave(t, 0.8 * f.bob[0], f.bob[1] + 0.4 * side)
        ahead = 10 if side == f.lead else 0
        arm(pose, side, swing + ahead + 5 * more, out, bend - ahead - 5 * more, across=0.5 * out - 8)
        pose.elbow[:, side] = unit(np.array([0.1, -0.85, 0.5 * (2 * side - 1)]))  # never along the arm, or it would flip
    return pose


def _reach_time(blow: Blow, t: np.ndarray) -> np.ndarray:
    """How far the limb of a blow is out, 0 to 1."""
    rise, stay, fall = {"grip": (0.28, 1.3, 0.3), "shove": (0.24, 0.22, 0.35), "kick": (0.30, 0.18, 0.36),
                        "hook": (0.29, 0.12, 0.28), "punch": (0.22, 0.14, 0.27)}[blow.kind]  # fmt: skip
    return _pulse(t, blow.at, rise, stay, fall)


def _lunge(pose: Pose, blow: Blow, t: np.ndarray) -> None:
    """The body behind a blow."""
    w, sign = _reach_time(blow, t), 2 * blow.side - 1
    ahead = rotation(pose.turn[:, 0])[..., 0]
    much, lean, twist = {"punch": (0.07, 7, 26), "hook": (0.08, 8, 28), "shove": (0.12, 14, 0), "grip": (0.04, 4, 12),
                         "kick": (-0.03, -17, 10)}[blow.kind]  # fmt: skip
    pose.pelvis += (much * w)[:, None] * ahead
    pose.turn[:, 1] += 0.8 * min(lean, 0) * w
    pose.chest[:, 0] += lean * w
    pose.chest[:, 2] += sign * twist * w
    pose.head[:, 2] -= 0.6 * sign * twist * w
    if blow.kind == "hook":  # drawn back and wide before it comes
        before = _pulse(t, blow.at - 0.25, 0.2, 0.0, 0.25)
        pose.chest[:, 2] -= sign * 10 * before
        pose.hand[:, blow.side] += before[:, None] * np.array([-0.18, -0.05, 0.22 * sign])


def _recoil(pose: Pose, blow: Blow, t: np.ndarray) -> None:
    """The one who is hit: the head flies back or aside, the trunk folds over a kick, a heavy blow makes one stagger."""
    if blow.kind == "grip":
        w = _pulse(t, blow.at + 0.2, 0.2, 1.1, 0.4)
        pose.chest[:, 0] += 9 * w
        return
    w = _pulse(t, blow.at + 0.10, 0.12, 0.05, 0.42)
    sign = 2 * blow.side - 1
    back = rotation(pose.turn[:, 0])[..., 0]
    if blow.kind == "kick":
        pose.chest[:, 0] += 30 * w
        pose.pelvis -= (0.10 * w)[:, None] * back
        return
    hard = 1.0 + 2.0 * blow.push
    pose.head[:, 0] -= (8 if blow.kind == "shove" else 20) * hard * w
    pose.head[:, 2] += (26 if blow.kind == "hook" else 8) * sign * w
    pose.chest[:, 0] -= 13 * hard * w
    pose.chest[:, 1] -= 6 * sign * w
    pose.pelvis -= (0.05 * hard * w)[:, None] * back
    if blow.push:  # the arms fly up and out
        for side in (LEFT, RIGHT):
            pose.hand[:, side] += w[:, None] * np.array([-0.06, -0.05, 0.22 * (2 * side - 1)])


def _hands(pose: Pose, blows: list[Blow], t: np.ndarray, own: np.ndarray, other: np.ndarray) -> None:
    """Lays the fists where they strike: the face for punches, the chest for shoves, the collar for a grip."""
    back = unit((own[:, INDEX["neck"]] - other[:, INDEX["neck"]]) * (1, 0, 1))
    right = np.cross(-back, UP)
    face = other[:, INDEX["head"]] + 0.09 * back - 0.03 * UP
    breast = 0.72 * other[:, INDEX["neck"]] + 0.28 * other[:, INDEX["pelvis"]] + 0.12 * back
    total, where = np.zeros((len(t), 2)), np.zeros((len(t), 2, 3))
    for b in blows:
        w = _reach_time(b, t)
        for side in (LEFT, RIGHT) if b.kind == "shove" else (b.side,):
            sign = 2 * side - 1
            point = {"shove": breast + 0.10 * sign * right, "grip": breast + 0.12 * UP + 0.05 * sign * right}.get(b.kind, face)
            if b.kind == "hook":
                point = point + (0.06 * sign + 0.6 * sign * w * (1 - w))[:, None] * right
            total[:, side] += w
            where[:, side] += w[:, None] * point
    for side, name in ((LEFT, "left_shoulder"), (RIGHT, "right_shoulder")):
        point = where[:, side] / np.maximum(total[:, side, None], 1e-9)
        away = point - own[:, INDEX[name]]
        far, least = np.linalg.norm(away, axis=-1), 0.42  # metres; nearer to the shoulder a fist would whirl about it
        far = (far + least + np.sqrt((far - least) ** 2 + 0.01)) / 2
        hold(pose, side, own[:, INDEX[name]] + far[:, None] * unit(away), np.minimum(total[:, side], 1))


def _kick(body: Body, pose: Pose, blow: Blow, t: np.ndarray) -> None:
    """A foot into the belly: the knee is drawn up first, then the leg straightens."""
    up, out, side = _pulse(t, blow.at - 0.10, 0.30, 0.36, 0.40), _pulse(t, blow.at, 0.16, 0.18, 0.2), blow.side
    raised = pose.copy()
    leg(body, raised, side, 66 + 16 * out, 8.0, bend=105 - 90 * out, point=-10.0)
    for name in ("ankle", "knee", "toe"):
        now, then = getattr(pose, name), getattr(raised, name)
        now[:, side] = now[:, side] * (1 - up)[:, None] + then[:, side] * up[:, None]
    pose.pelvis[:, 1] += 0.03 * up


# --- greeting ---------------------------------------------------------------------------------------------------------------


@dataclass
class Greeting:
    """Two people who have come up to each other along x: when, in seconds, who, and what each does but for the arms."""

    met: float
    bodies: list[Body]
    poses: list[Pose]
    yaw: float

    def play(self, t: np.ndarray, what: str) -> Play:
        people = [(b, p.moved(np.zeros(3), self.yaw)) for b, p in zip(self.bodies, self.poses, strict=True)]
        return Play(shown(t, "walk", (self.met, what)), people)


def _come_up(rng: np.random.Generator, t: np.ndarray, apart: float, aside: float) -> Greeting:
    """Both walk the last steps and stop apart metres from each other, aside metres to the own left of the line."""
    met, poses, bodies = rng.uniform(0.2, 0.8), [], [anybody(rng) for _ in range(2)]
    for body in bodies:
        speed = rng.uniform(0.6, 0.95)
        path = _last_steps(speed, met - 0.25, apart / 2, aside)
        pose = go(body, stroller(rng, speed, body), path, t)
        breathe(pose, t, rng, 0.5)
        poses.append(pose)
    poses[1] = poses[1].moved(np.zeros(3), 180.0)
    return Greeting(met, bodies, poses, rng.uniform(0, 360))


def _last_steps(speed: float, stop: float, short: float, aside: float) -> Path:
    """Towards the origin along x, slowing down about time stop, and standing short of it and left of the line."""

    def path(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        u = np.clip((t - stop) / 0.6 + 0.5, 0, 1)  # speed falls smoothly to 0 within 0.6 s
        left = 0.6 * (0.5 - u + u**3 - u**4 / 2) + np.maximum(stop - 0.3 - t, 0)
        return -speed * left - short, np.full_like(t, -aside), np.zeros_like(t)

    return path


def hug(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Two people fall into each other's arms and hold each other, swaying, and pat each other's back."""
    meet = _come_up(rng, t, rng.uniform(0.34, 0.40), rng.uniform(0.06, 0.08))
    near = ease(t, meet.met - 0.30, 0.5)
    sway, hertz, phase = rng.uniform(0.008, 0.03), rng.uniform(0.25, 0.5), rng.random()
    for k, pose in enumerate(meet.poses):
        much = near * sway * wave(t, hertz, phase)
        pose.pelvis[:, 2] += much
        pose.chest[:, 1] += (1 - 2 * k) * 60 * much - 3 * near
        pose.turn[:, 1] += rng.uniform(3, 6) * near
        taller = max(meet.bodies[k].height - meet.bodies[1 - k].height, 0.0)
        pose.chest[:, 0] += (rng.uniform(2, 5) + 45 * taller) * near
        pose.head[:, 0] += rng.uniform(4, 14) * near
        pose.head[:, 1] -= rng.uniform(8, 14) * near
        _open_arms(pose, ease(t, meet.met - 0.55, 0.4), rng)
    marks = [solve(b, p) for b, p in zip(meet.bodies, meet.poses, strict=True)]
    ways = ((True, False), (True, False)) if rng.random() < 0.6 else ((True, True), (False, False))
    first = int(rng.random() < 0.5)
    for k, pose in enumerate(meet.poses):
        for side in (LEFT, RIGHT):
            _arm_round(rng, t, pose, side, marks[1 - k], share=near, over=ways[k][(side + first) % 2])
    return meet.play(t, "hug")


def _open_arms(pose: Pose, share: np.ndarray, rng: np.random.Generator) -> None:
    wide = pose.copy()
    for side in (LEFT, RIGHT):
        arm(wide, side, rng.uniform(45, 75), rng.uniform(25, 45), 25)
        for now, then in ((pose.hand, wide.hand), (pose.elbow, wide.elbow)):
            now[:, side] += share[:, None] * (then[:, side] - now[:, side])


def _arm_round(
    rng: np.random.Generator, t: np.ndarray, pose: Pose, side: int, other: np.ndarray, *, share: np.ndarray, over: bool
) -> None:
    """Lays an arm over the other's shoulder or under the arm and about the back; the hand pats now and then."""
    neck, pelvis = other[:, INDEX["neck"]], other[:, INDEX["pelvis"]]
    ahead = unit((neck - pose.pelvis) * (1, 0, 1))
    right, sign = np.cross(ahead, UP), 2 * side - 1
    down = rng.uniform(0.26, 0.40) if over else rng.uniform(0.44, 0.60)
    pat, beat, phase = rng.uniform(0.0, 0.05), rng.uniform(2.0, 2.8), rng.random()
    lifted = pat * np.maximum(wave(t, beat, phase), 0) ** 2 * np.maximum(wave(t, 0.31, phase), 0)
    where = neck + down * (pelvis - neck) + (0.135 + lifted)[:, None] * ahead + sign * rng.uniform(-0.09, 0.02) * right
    hold(pose, side, where, share)
    pole = np.array([0.3, 0.8, 0.55 * sign]) if over else np.array([-0.1, -0.6, sign])
    pose.elbow[:, side] += share[:, None] * (pole - pose.elbow[:, side])


def shake_hands(rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> Play:
    """Two people stand at arm's length and shake right hands, up and down."""
    meet = _come_up(rng, t, rng.uniform(0.74, 0.86), rng.uniform(0.10, 0.20))
    tall = np.mean([b.height for b in meet.bodies])
    near, met = ease(t, meet.met - 0.45, 0.45), meet.met
    amp, hertz = rng.uniform(0.04, 0.065), rng.uniform(1.7, 2.4)
    strength = ease(t, met - 0.1, 0.3) * (0.7 + 0.3 * wave(t - met, rng.uniform(0.10, 0.2), 0.2))
    grip = np.zeros((len(t), 3))
    grip[:, 1] = rng.uniform(0.60, 0.65) * tall + amp * strength * wave(t - met, hertz)
    both = rng.random(2) < 0.22
    for k, pose in enumerate(meet.poses):
        sign = 1 - 2 * k
        lean, nod = rng.uniform(2, 7), rng.uniform(3, 12)
        pose.chest[:, 0] += lean * near
        pose.turn[:, 0] -= 8 * near  # towards the other, who stands a little to the right
        pose.head[:, 2] -= 14 * near
        pose.head[:, 0] += nod * near * (0.4 + 0.6 * wave(t - met, 0.45 * hertz))
        hold(pose, RIGHT, grip + sign * np.array([-0.018, 0.0, 0.008]), near)
        pose.elbow[:, RIGHT] += near[:, None] * (np.array([-0.3, -1.0, 0.25]) - pose.elbow[:, RIGHT])
        if both[k]:
            hold(pose, LEFT, grip + np.array([0.02 * sign, 0.05, -0.07 * sign]), ease(t, met + 0.1, 0.5))
    return meet.play(t, "shake")
