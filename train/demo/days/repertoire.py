"""What happens before the cameras, by name: everyday acts, and the events that are staged."""

from collections.abc import Callable

import numpy as np

from demo.days.acts import Motion, Performance, carried, motion, passing, played, visit
from demo.days.views import View
from demo.motions.climbing import climb_fence, climb_ladder
from demo.motions.gait import Path, go, runner, stroller
from demo.motions.parts import Play, anybody, drift, hold, shown
from demo.motions.riding import ride_past
from demo.motions.staying import SEATS, seated, stance, stand
from demo.skeleton import LEFT, RIGHT, rotation

Act = Callable[[View, np.random.Generator], Performance]

# Seconds that an act lasts, from to, and whether it is got down to; those with a moment have it early.
PLAIN = {"wander": (6, 14), "stand": (5, 15), "wave": (4, 8), "handsup": (3, 7), "jump": (4, 9), "hug": (4, 9), "shake": (4, 8)}
LOW = {"lie": (8, 22), "crouch": (5, 12), "crawl": (6, 14)}
HELD = {"sweep": (8, 20, True, True), "pickup": (4, 6, False, True), "throw": (4, 6, True, False)}
ACTION = {"wander": "walk"}
GONE = 2.4  # seconds from the start of a staged fall or climb to its moment


def perform(view: View, rng: np.random.Generator, name: str) -> Performance:
    """An act by its name: one of the habits of demo.days.sites, or one of its EVENTS."""
    if name in PLAIN or name in LOW:
        stay = rng.uniform(*(PLAIN | LOW)[name])
        return visit(view, rng, motion(ACTION.get(name, name)), stay, low=(name in LOW, name in LOW))
    if name in HELD:
        shortest, longest, comes, goes = HELD[name]
        at = {"pickup": 0.6, "throw": 1.8}.get(name)
        return visit(view, rng, motion(name, at), rng.uniform(shortest, longest), slides=(comes, goes))
    if name in ("box", "suitcase", "cart", "bag"):
        return carried(view, rng, name)
    return ACTS[name](view, rng)


def _pass(view: View, rng: np.random.Generator) -> Performance:
    def walk(own: np.random.Generator, t: np.ndarray, path: Path) -> Play:
        body, speed = anybody(own), float(np.hypot(*np.diff([path(np.array([0.0, 1.0]))[k] for k in (0, 1)]).ravel()))
        pose = go(body, stroller(own, speed, body), path, t)
        pose.head[:, 2] += own.uniform(4, 20) * drift(own, t, 0.1, 0.3)
        return Play(shown(t, "walk"), [(body, pose)])

    return passing(view, rng, walk, rng.uniform(0.85, 1.45))


def _run(view: View, rng: np.random.Generator) -> Performance:
    speed = rng.uniform(2.2, 3.2)

    def run(own: np.random.Generator, t: np.ndarray, path: Path) -> Play:
        body = anybody(own)
        return Play(shown(t, "run"), [(body, go(body, runner(own, speed, body), path, t))])

    return passing(view, rng, run, speed)


def _ride(view: View, rng: np.random.Generator) -> Performance:
    return passing(view, rng, ride_past, rng.uniform(1.6, 3.0))


def _kick(view: View, rng: np.random.Generator) -> Performance:
    return visit(view, rng, motion("kick", 2.6), rng.uniform(4, 6))


def _sit(view: View, rng: np.random.Generator) -> Performance:
    x, z, yaw = view.seats[rng.integers(len(view.seats))]

    def sit(own: np.random.Generator, t: np.ndarray) -> Play:
        body = anybody(own)
        return Play(shown(t, "sit"), [(body, seated(own, t, body, *SEATS["chair"]))])

    before = np.array([x, 0, z]) + 0.38 * rotation(np.array(yaw))[:, 0]
    return visit(view, rng, sit, rng.uniform(7, 25), place=(x, z, yaw), stand=before, soft=1.4)


def _bed(view: View, rng: np.random.Generator) -> Performance:
    x, z, yaw = view.beds[rng.integers(len(view.beds))]

    def lie(own: np.random.Generator, t: np.ndarray) -> Play:
        play = motion("lie")(own, t)
        body, pose = play.people[0]
        return Play(play.shows, [(body, pose.moved(np.zeros(3), -float(pose.turn[0, 0])))])

    side = np.sign(rotation(np.array(yaw))[:, 2] @ (view.camera.eye - (x, 0, z))) * 0.95
    before = np.array([x, 0, z]) + side * rotation(np.array(yaw))[:, 2]
    return visit(view, rng, lie, rng.uniform(10, 30), place=(x, z, yaw), high=0.58, stand=before, soft=2.6)


def _talk(view: View, rng: np.random.Generator) -> Performance:
    apart, turned = rng.uniform(0.7, 1.3), rng.uniform(-25, 25, 2)

    def talk(own: np.random.Generator, t: np.ndarray) -> Play:
        people = []
        for k in (0, 1):
            body = anybody(own)
            pose = stance(own, t, body)
            pose.head[:, 0] += 6 * drift(own, t, 0.2, 0.8)
            for side in (LEFT, RIGHT):  # hands that speak along
                pose.hand[:, side, 0] += 0.12 * own.random() * (1 + drift(own, t, 0.2, 0.9))
            people.append((body, pose.moved(np.array([(2 * k - 1) * apart / 2, 0, 0]), 180.0 * k + turned[k])))
        return Play(shown(t, "stand"), people)

    return visit(view, rng, talk, rng.uniform(6, 18))


def _at_fence(view: View, rng: np.random.Generator) -> Performance:
    place = (-rng.uniform(0.45, 0.75), rng.uniform(-view.room, view.room), rng.choice((0.0, 180.0)) + rng.uniform(-40, 40))
    return visit(view, rng, motion("stand"), rng.uniform(5, 14), place=place)


def _lean(view: View, rng: np.random.Generator) -> Performance:
    """Stands at the fence with both hands on it."""
    return visit(view, rng, _holding(view.top + 0.02, -0.02), rng.uniform(5, 12), place=(0, rng.uniform(-view.room, view.room), 0))


def _at_ladder(view: View, rng: np.random.Generator) -> Performance:
    """Stands before the ladder with both hands on it, and looks up."""
    high = rng.uniform(1.2, 1.55)
    ahead = high * float(np.tan(np.radians(view.lean))) - 0.18
    return visit(view, rng, _holding(high, ahead, wide=0.19), rng.uniform(4, 10), place=(0.15, 0, 0))


def _holding(high: float, ahead: float, wide: float = 0.24) -> Motion:
    def holding(own: np.random.Generator, t: np.ndarray) -> Play:
        play = stand(own, t)
        body, pose = play.people[0]
        pose = pose.moved(np.zeros(3), -float(pose.turn[0, 0]))
        pose = pose.moved(np.array([-0.48, 0, 0]) - pose.pelvis[0] * (1, 0, 1), 0.0)
        pose.head[:, 0] -= own.uniform(0, 30)
        for side in (LEFT, RIGHT):
            hold(pose, side, np.array([ahead, high, (2 * side - 1) * wide]))
        return Play(play.shows, [(body, pose)])

    return holding


def _fall(view: View, rng: np.random.Generator) -> Performance:
    stay = GONE + rng.uniform(7, 14)
    return visit(view, rng, motion("fall", GONE), stay, low=(False, True), truth=(GONE, stay))


def _fight(view: View, rng: np.random.Generator) -> Performance:
    stay = rng.uniform(7, 16)
    return visit(view, rng, motion("fight"), stay, truth=(0.0, stay))


def _fence(view: View, rng: np.random.Generator) -> Performance:
    def climb(own: np.random.Generator, t: np.ndarray) -> Play:
        play = climb_fence(own, t, GONE, view.top)
        return Play(play.shows, play.people)  # the fence stands there anyway

    # Whoever is over walks off on the far side, a little way at first and then out of the picture.
    return visit(view, rng, climb, GONE + 6.0, place=(0, rng.uniform(-0.5, 0.5) * view.room, 0), truth=(GONE, GONE + 4.6))


def _ladder(view: View, rng: np.random.Generator) -> Performance:
    seed = int(rng.integers(2**31))

    def climb(_: np.random.Generator, t: np.ndarray) -> Play:
        play = climb_ladder(np.random.default_rng(seed), np.maximum(t, 0.0), None, view.lean)
        return Play(play.shows, play.people)

    fine = np.arange(0, 40, 0.1)
    height = played(climb, 0, fine).people[0][1].pelvis[:, 1]
    stay = float(fine[(fine > 4) & (height < height[0] + 0.05)][0])  # down again
    return visit(view, rng, climb, stay, place=(0, 0, 0), truth=(0.0, stay))


ACTS: dict[str, Act] = {
    "pass": _pass, "run": _run, "ride": _ride, "kick": _kick, "sit": _sit, "bed": _bed, "talk": _talk, "atfence": _at_fence,
    "lean": _lean, "atladder": _at_ladder, "fall": _fall, "fight": _fight, "fence": _fence, "ladder": _ladder,
}
