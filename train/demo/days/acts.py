"""What people do before a fixed camera: they come in from the side, act at a place, and leave again."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from demo.actions import ACTIONS
from demo.days.views import View
from demo.motions.falling import squat
from demo.motions.gait import Path, eased, go, straight, stroller
from demo.motions.parts import Play, ease
from demo.motions.staying import placed
from demo.skeleton import Body, Pose, mix, rotation
from demo.stage import Thing

ALWAYS = (-90.0, 300.0)  # seconds that hold every performance: a motion must not depend on which frames of it are asked for
Place = tuple[float, float, float]  # x, z in metres, yaw in degrees
Motion = Callable[[np.random.Generator, np.ndarray], Play]


@dataclass(frozen=True)
class Performance:
    """What happens for length seconds; play(t) at times (F,) from its start on; truth: from when to when an event is staged."""

    length: float
    play: Callable[[np.ndarray], Play]
    truth: tuple[float, float] | None = None


def motion(name: str, at: float | None = None, **how: float) -> Motion:
    """An action of demo.actions whose moment is at `at`."""
    return lambda rng, t: ACTIONS[name](rng, t, at=at, **how)


def played(made: Motion, seed: int, t: np.ndarray, span: tuple[float, float] = ALWAYS) -> Play:
    """The play at times t, which is the same whatever t is: the motion always sees the whole span."""
    play = made(np.random.default_rng(seed), np.concatenate([span[:1], t, span[1:]]))
    people = [(body, Pose(**{f.name: getattr(pose, f.name)[1:-1] for f in fields(Pose)})) for body, pose in play.people]
    return Play(play.shows[1:-1], people, [Thing(x.kind, x.pose[1:-1], x.size) for x in play.things])


def moved(play: Play, yaw: float, offset: np.ndarray) -> Play:
    """The play turned left by yaw degrees about the origin and then moved by offset (3,) or (F, 3)."""
    shift = np.broadcast_to(offset, (len(play.shows), 3))
    people = [(body, pose.moved(shift, yaw)) for body, pose in play.people]
    _, things = placed(play.people[0][1], play.things, yaw)
    for x in things:
        x.pose[:, :3, 3] += shift
    return Play(play.shows, people, things)


def towards(way: np.ndarray) -> float:
    """The yaw in degrees of a level vector."""
    return float(np.degrees(np.arctan2(-way[2], way[0])))


def near_turn(yaw: float, other: float) -> float:
    """yaw and whole turns, within half a turn of the other."""
    return yaw + 360 * round((other - yaw) / 360)


@dataclass(frozen=True)
class Visit:
    """Somebody's coming and going. Plays begin at time `enter` and end at `leave`; low: to and from the floor by way of a squat.

    slides says that things are in hands at the start or the end, so that the whole play comes or goes as it is.
    """

    view: View
    enter: float
    leave: float
    seed: int
    sides: tuple[float, float]
    low: tuple[bool, bool] = (False, False)
    slides: tuple[bool, bool] = (False, False)
    stand: np.ndarray | None = None  # where one stands before and after, if not where one acts
    soft: float = 0.9  # seconds that it takes from walking to acting

    def whole(self, made: Play, first: Play, last: Play, t: np.ndarray) -> Play:
        """The play made with its people coming before `enter` and going after `leave`; first and last: its frames then."""
        people = []
        for i, (body, pose) in enumerate(made.people):
            begin, end = (p.people[i][1] for p in (first, last))
            rng, out = np.random.default_rng([self.seed, i]), pose
            if not self.slides[0]:
                out = self._joined(body, (self._walk(rng, body, begin, t, True), out), begin, t, True)
            if not self.slides[1]:
                out = self._joined(body, (out, self._walk(rng, body, end, t, False)), end, t, False)
            people.append((body, out))
        return moved(Play(made.shows, people, made.things), 0.0, self._slid(t))

    def _slid(self, t: np.ndarray) -> np.ndarray:
        far, (come, off) = self.view.out * self.view.lane, self.sides
        before, after = 1 - ease(t, 0.0, self.enter), ease(t, self.leave, self.enter)
        return far * (come * self.slides[0] * before + off * self.slides[1] * after)[:, None]

    def _walk(self, rng: np.random.Generator, body: Body, pose: Pose, t: np.ndarray, coming: bool) -> Pose:
        """Walking in to where the pose of one frame stands, or off from there."""
        spot = (pose.pelvis[0] if self.stand is None else self.stand) * (1, 0, 1)
        side = self.sides[0] if coming else self.sides[1]
        gate = spot + side * self.view.out * self.view.lane + rng.uniform(-0.25, 0.25) * np.cross(self.view.lane, [0, 1, 0])
        way = (spot - gate) if coming else (gate - spot)
        far = float(np.linalg.norm(way))
        speed = far / (self.enter - 0.3)
        start = 0.0 if coming else self.leave + 0.3
        yaw = near_turn(towards(way), float(pose.turn[0, 0]))
        walk = eased(straight(speed, yaw), [(start, start + far / speed)], 0.5)
        return go(body, stroller(rng, speed, body), _from(walk, gate if coming else spot), t)

    def _joined(self, body: Body, poses: tuple[Pose, Pose], still: Pose, t: np.ndarray, coming: bool) -> Pose:
        """From one pose to the next; still is the one frame of what is acted at that time."""
        before, after = poses
        at = self.enter if coming else self.leave
        if not self.low[0 if coming else 1]:
            return mix(before, after, ease(t, at - self.soft / 2, self.soft))
        low = squat(np.random.default_rng(self.seed), t, body).moved(still.pelvis[0] * (1, 0, 1), float(still.turn[0, 0]))
        first, second = (0.9, 1.5) if coming else (1.5, 0.9)
        return mix(mix(before, low, ease(t, at - first, first)), after, ease(t, at, second))


def _from(path: Path, where: np.ndarray) -> Path:
    def shifted(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, z, yaw = path(t)
        return x + where[0], z + where[2], yaw

    return shifted


def visit(view: View, rng: np.random.Generator, made: Motion, stay: float, *, place: Place | None = None,
          low: tuple[bool, bool] = (False, False), slides: tuple[bool, bool] = (False, False), high: float = 0.0,
          stand: np.ndarray | None = None, soft: float = 0.9, truth: tuple[float, float] | None = None) -> Performance:  # fmt: skip
    """A motion for stay seconds at a place, drawn where None, with coming and going; high lifts it; truth counts from its start."""
    x, z, yaw = place or (*view.spot(rng), rng.uniform(0, 360))
    seed, sides = int(rng.integers(2**31)), (float(rng.choice((-1, 1))), float(rng.choice((-1, 1))))
    enter = 0.3 + view.out / rng.uniform(0.9, 1.25)
    how = Visit(view, enter, enter + stay, seed, sides, low, slides, stand, soft)
    at = np.array([x, high, z])

    def acted(t: np.ndarray) -> Play:
        return moved(played(made, seed, t), yaw, at)

    first, last = acted(np.zeros(1)), acted(np.array([stay]))

    def play(t: np.ndarray) -> Play:
        return how.whole(acted(t - enter), first, last, t)

    shown = None if truth is None else (enter + truth[0], enter + truth[1])
    return Performance(2 * enter + stay + 0.3, play, shown)


def passing(view: View, rng: np.random.Generator, along: Callable[[np.random.Generator, np.ndarray, Path], Play],
            speed: float) -> Performance:  # fmt: skip
    """Straight through the picture at a speed; along(rng, t, path) is who goes and how."""
    x, z = view.spot(rng)
    side, seed, slant = float(rng.choice((-1, 1))), int(rng.integers(2**31)), 0.0 if view.top else rng.uniform(-0.2, 0.2)
    way = side * (rotation(np.degrees(slant)) @ view.lane)
    length = 2 * view.out / speed
    path = _from(straight(speed, towards(way)), np.array([x, 0, z]) - view.out * way)
    return Performance(length, lambda t: along(np.random.default_rng(seed), t, path))


def carried(view: View, rng: np.random.Generator, name: str) -> Performance:
    """One of the motions that pass through the origin within 8 seconds, with a thing in hand."""
    span, seed, side = (0.0, 8.0), int(rng.integers(2**31)), float(rng.choice((-1, 1)))
    x, z = view.spot(rng)
    ends = played(motion(name, 3.85 if name == "bag" else None), seed, np.array([0.0, 8.0]), span).people[0][1].pelvis
    yaw = towards(side * view.lane) - towards(-ends[0] if name == "bag" else ends[1] - ends[0])

    def play(t: np.ndarray) -> Play:
        made = played(motion(name, 3.85 if name == "bag" else None), seed, np.clip(t, 0.0, 8.0), span)
        return moved(made, yaw, np.array([x, 0, z]))

    return Performance(8.0, play)
