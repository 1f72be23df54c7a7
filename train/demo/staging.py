"""What happens in each of the demo's films, before a camera that looks along -z where nothing else is said, and what stands there.

People come from beyond the picture, act in its middle, and leave, so that a film may begin again after its end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from demo.actions import ACTIONS
from demo.days.acts import moved, played
from demo.motions.carrying import carry_box
from demo.motions.climbing import BESIDE, LADDER, climb_fence, climb_ladder
from demo.motions.falling import fall, squat
from demo.motions.moving import look_at_phone
from demo.motions.parts import Play, anybody, drift, ease, hold, shown, thing
from demo.motions.roaming import Spot, joined, look_around, near_turn, route, shift_weight, waiting, walked
from demo.motions.staying import SEATS, seated
from demo.skeleton import RIGHT, Body, Pose, rotation
from demo.stage import THINGS, Thing

OUT = 5.8  # metres to the side at which nobody is seen
LEAN = 13.0  # degrees of the ladder


@dataclass
class Staged:
    """A film's play, what stands there, and the seconds from when to when the camera is hung for."""

    play: Play
    focus: tuple[float, float]
    stands: list[Thing] = field(default_factory=list)


def _props(frames: int, *what: tuple[str, float, float, float]) -> list[Thing]:
    """Things by kind, x, z and yaw."""
    return [thing(kind, frames, (x, 1.35 if kind == "poster" else 0.0, z), rotation(np.array(yaw))) for kind, x, z, yaw in what]


def _spot(pose: Pose, t: np.ndarray, at: float) -> tuple[Spot, float]:
    """Where a pose stands at a time and its yaw."""
    k = int(np.searchsorted(t, at))
    x, _, z = pose.pelvis[k]
    return (float(x), float(z)), float(pose.turn[k, 0])


def _leave(rng: np.random.Generator, t: np.ndarray, who: tuple[Body, Pose], at: float, way: list[Spot], *,
           speed: float) -> Pose:  # fmt: skip
    """The pose until `at`, and then walking off from there along a way."""
    body, pose = who
    spot, yaw = _spot(pose, t, at)
    off = walked(rng, body, route([spot, *way], speed, start=at + 0.55, before=yaw), t, speed)
    return joined(t, pose, off, at)


def _come(rng: np.random.Generator, t: np.ndarray, who: tuple[Body, Pose], at: float, way: list[Spot], *, early: float,
          speed: float) -> Pose:  # fmt: skip
    """Walks along a way to where the pose stands at `at`, is there so many seconds early, and goes on with the pose."""
    body, pose = who
    spot, yaw = _spot(pose, t, at)
    path = route([*way, spot], speed, stop=at - 0.2 - early, after=yaw)
    there = walked(rng, body, path, t, speed)
    shift_weight(rng, body, there, t, float(early > 1))
    return joined(t, there, pose, at, 0.4)


def _falls(film: "Scripted", t: np.ndarray, *, lies: float, yaw: float, way: list[Spot]) -> Play:
    """Walks in facing yaw, falls, stirs, gets up after so many seconds and walks off."""
    seed, at, up = film.number, film.at, film.at + lies
    made = played(lambda rng, now: fall(rng, now, at, 8.0), seed, t)
    body, pose = made.people[0]
    k = int(np.searchsorted(t, at))
    made = moved(made, near_turn(yaw, 0) - float(pose.turn[k, 0]), np.zeros(3))
    body, pose = made.people[0]
    pose = pose.moved(-pose.pelvis[k] * (1, 0, 1), 0.0)
    rng = np.random.default_rng([seed, 1])
    look_around(rng, pose, np.maximum(t, at + 1.5), 0.5)
    stir = np.stack([drift(rng, t, 0.2, 0.5) for _ in range(6)], -1).reshape(-1, 2, 3)
    pose.hand += (ease(t, at + 1.8, 0.8) * 0.07)[:, None, None] * stir
    spot, facing = _spot(pose, t, up)
    low = squat(rng, t, body).moved(np.array([spot[0], 0, spot[1]]), facing)
    pose = joined(t, pose, low, up + 1.0, 2.0)
    pose = _leave(rng, t, (body, pose), up + 2.6, way, speed=0.95)
    shows = made.shows.copy()
    shows[t >= up + 1.0] = "squat"
    shows[t >= up + 2.8] = "walk"
    return Play(_gone(film, shows, t), [(body, pose)])


def _gone(film: "Scripted", shows: np.ndarray, t: np.ndarray) -> np.ndarray:
    """`empty` before and after the seconds in which somebody is there."""
    out = shows.copy()
    out[(t < film.there[0]) | (t >= film.there[1])] = "empty"
    return out


@dataclass(frozen=True)
class Scripted:
    """What staging needs of a film: number is the seed, there the seconds in which somebody is to be seen."""

    number: int
    at: float
    there: tuple[float, float]


def corridor_fall(film: Scripted, t: np.ndarray) -> Staged:
    play = _falls(film, t, lies=6.5, yaw=-12.0, way=[(1.6, -0.2), (OUT + 1, 0.3)])
    stands = _props(len(t), ("bench", -2.6, -2.0, -90.0), ("plant", 2.9, -2.1, 0.0))
    return Staged(play, (film.at - 0.6, film.at + 6), stands)


def room_fall(film: Scripted, t: np.ndarray) -> Staged:
    play = _falls(film, t, lies=7.0, yaw=192.0, way=[(-1.5, 0.4), (-OUT - 1, -0.2)])
    stands = _props(len(t), ("plant", -2.9, -1.7, 0.0), ("table", 2.6, -1.6, 20.0))
    return Staged(play, (film.at - 0.6, film.at + 6), stands)


def _over_fence(film: Scripted, t: np.ndarray, come: list[Spot], off: list[Spot], top: float | None = None) -> Staged:
    """Walks up to a fence, which stands on x = 0, climbs over it and walks off."""
    made = played(lambda rng, now: climb_fence(rng, now, film.at, top), film.number, t)
    body, pose = made.people[0]
    rng = np.random.default_rng([film.number, 1])
    on = t[made.shows == "fence"]
    begun, over = film.at - 0.1, float(on[-1]) + 0.35
    near = route([*come, (-BESIDE, 0.0)], 1.2, stop=begun - 0.1, after=0.0)
    far = route([(BESIDE, 0.0), *off], 1.2, start=over + 0.55, before=180.0)
    before, after = (walked(rng, body, path, t, 1.2) for path in (near, far))
    pose = joined(t, joined(t, before, pose, begun, 0.3), after, over, 0.3)
    fence = made.things[0]
    fence.size = (fence.size[0], fence.size[1], 13.0)
    shows = made.shows.copy()
    shows[shows == "atfence"] = "walk"
    return Staged(Play(_gone(film, shows, t), [(body, pose)]), (film.at - 0.3, float(on[-1]) + 0.3), [fence])


def yard_fence(film: Scripted, t: np.ndarray) -> Staged:
    return _over_fence(film, t, [(-4.0, 6.5), (-2.4, 0.6)], [(1.6, -0.3), (2.6, -6.5)])


def street_fence(film: Scripted, t: np.ndarray) -> Staged:
    return _over_fence(film, t, [(-1.2, -7.0), (-1.5, -0.6)], [(1.4, 0.4), (3.4, 7.0)])


def street_fight(film: Scripted, t: np.ndarray) -> Staged:
    """Two come from both sides, talk, fight, let go of each other and walk off."""
    begin, end = film.at, film.at + 11.0
    made = played(ACTIONS["fight"], film.number, t)
    (x, z), _ = _spot(made.people[0][1], t, begin)
    (u, w), _ = _spot(made.people[1][1], t, begin)
    made = moved(made, float(np.degrees(np.arctan2(w - z, u - x))), np.zeros(3))  # the first to the left of the other
    people = []
    for i, who in enumerate(made.people):
        rng, side = np.random.default_rng([film.number, 1, i]), 2 * i - 1
        way = [(side * (OUT + 0.5), 0.6 * side), (side * 1.4, 0.1)]
        pose = _come(rng, t, who, begin, way, early=2.6 - 0.5 * i, speed=1.25)
        spot, yaw = _spot(pose, t, end)
        calm = waiting(rng, who[0], t).moved(np.array([spot[0], 0, spot[1]]), yaw)
        pose = joined(t, pose, calm, end, 0.8)
        off = np.sign(spot[0] or 1)
        way = [(spot[0] + 1.5 * off, spot[1] + 0.3), (off * (OUT + 1.5), 0.5)]
        pose = _leave(rng, t, (who[0], pose), end + 1.6 + 0.9 * i, way, speed=1.3)
        people.append((who[0], pose))
    shows = shown(t, "walk", (begin - 3.0, "stand"), (begin, "fight"), (end, "stand"), (end + 2.2, "walk"))
    return Staged(Play(_gone(film, shows, t), people), (begin, end))


def office_sit(film: Scripted, t: np.ndarray) -> Staged:
    """Sits on a chair, looks around, and drinks now and then."""
    def sit(rng: np.random.Generator, now: np.ndarray) -> Play:
        body = anybody(rng)
        pose = seated(rng, now, body, *SEATS["chair"])
        look_around(rng, pose, now)
        pose.chest[:, 0] += 5 * drift(rng, now, 0.08, 0.25)
        return Play(shown(now, "sit"), [(body, pose)], [thing("chair", len(now))])

    play = moved(sit(np.random.default_rng(film.number), t), -60.0, np.zeros(3))
    body, pose = play.people[0]
    turn, h = rotation(np.array(-60.0)), body.height
    lap = pose.pelvis[0] + turn @ np.array([0.16 * h, 0.09 * h, 0.16])
    mouth = pose.pelvis[0] + turn @ np.array([0.17 * h, 0.42 * h, 0.05])
    drinks = sum(ease(t, a, 1.0) - ease(t, a + 2.0, 1.1) for a in (4.0, 13.0))
    where = lap + drinks[:, None] * (mouth - lap) + 0.012 * np.stack([drift(np.random.default_rng(3 + k), t) for k in range(3)], -1)
    hold(pose, RIGHT, where)
    cup = thing("cup", len(t), where + turn @ np.array([0.05, 0.01, 0.0]))
    stands = _props(len(t), ("plant", -1.9, -1.4, 0.0))
    return Staged(Play(play.shows, play.people, [*play.things, cup]), (0.0, float(t[-1])), stands)


def warehouse_box(film: Scripted, t: np.ndarray) -> Staged:
    """Carries boxes through the picture, to and fro."""
    far, long = 4.9, 8.0  # metres to the side; seconds that a way takes
    ways = [route([(-side * far, z), (0.0, z + 0.3), (side * far, z)], 2 * far / (long - 0.4), start=long * k + 0.2)
            for k, (side, z) in enumerate(((1, -0.5), (-1, 0.5), (1, 0.1)))]  # fmt: skip

    def path(now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        k = np.clip(now // long, 0, len(ways) - 1)
        return tuple(np.choose(k.astype(int), parts) for parts in zip(*(way(now) for way in ways), strict=True))

    play = played(lambda rng, now: carry_box(rng, now, path=path), film.number, t)
    stands = _props(len(t), ("pallet", 4.1, -1.7, 90.0), ("pallet", -4.3, -1.4, 80.0), ("pallet", -3.1, -2.1, 95.0))
    return Staged(play, (3.2, 4.8), stands)


def yard_beside_fence(film: Scripted, t: np.ndarray) -> Staged:
    """One walks along a fence with a phone in hand, and another comes the other way."""
    far, people, things = 5.2, [], []
    for i, (begin, side, z) in enumerate(((0.2, -1, 0.1), (10.0, 1, 0.7))):
        rng = np.random.default_rng([film.number, i])
        body = anybody(rng)
        pose = walked(rng, body, route([(side * far, z), (0, z - 0.15), (-side * far, z + 0.1)], 1.15, start=begin), t, 1.15)
        if i == 0:
            things.append(look_at_phone(body, pose, RIGHT))
        people.append((body, pose))
    fence = thing("fence", len(t), (0, 0, -0.9), rotation(np.array(90.0)), (1, 0.95, 2.8))
    return Staged(Play(shown(t, "walk"), people, things), (4.0, 5.6), [fence])


def yard_empty(film: Scripted, t: np.ndarray) -> Staged:
    fence = thing("fence", len(t), (-0.6, 0, -1.1), rotation(np.array(75.0)), (1, 1, 2.8))
    return Staged(Play(shown(t, "empty")), (0.0, 1.0), [fence, *_props(len(t), ("bin", 1.3, -0.6, 10.0))])


def _climbed(film: Scripted, t: np.ndarray, worked: float) -> tuple[Play, float, float]:
    """Up the ladder from film.at on, so many seconds there, and down again: the play, and when one is up and down."""
    def climb(now: np.ndarray) -> Play:
        return played(lambda rng, own: climb_ladder(rng, own, lean=LEAN), film.number, now, (0.0, 300.0))

    probe = np.arange(0, 20, 0.05)
    high = climb(probe).people[0][1].pelvis[:, 1]
    above = probe[high > high.max() - 0.01]
    top = float(above[0])
    down = float(probe[(probe > top + 0.5) & (high < high.min() + 0.01)][0])
    rest = float(above[above < down][-1])  # the motion goes down by itself from here on
    own = np.clip(t - film.at, 0, top) + np.clip(t - film.at - top - worked, 0, down - rest)
    return climb(np.where(own > top, own - top + rest, own)), film.at + top, film.at + top + worked + (down - rest)


def yard_ladder(film: Scripted, t: np.ndarray) -> Staged:
    """Walks up to a ladder that leans against a house, climbs it, works at the wall, climbs down and walks off."""
    worked = 5.0
    made, up, end = _climbed(film, t, worked)
    body, pose = made.people[0]
    rng = np.random.default_rng([film.number, 1])
    busy = ease(t, up + 0.2, 0.5) - ease(t, up + worked - 0.7, 0.5)
    look_around(rng, pose, t, 0.6)
    strokes = [0.08 + 0.05 * drift(rng, t, 0.5, 1.2), 0.16 + 0.10 * np.sin(5.5 * t), 0.18 + 0.06 * drift(rng, t, 0.3, 0.8)]
    hold(pose, RIGHT, pose.reach[:, RIGHT] + busy[:, None] * np.stack(strokes, -1))
    foot = (-0.62, 0.0)
    near = route([(-OUT - 1.5, 0.8), (-1.9, 0.2), foot], 1.15, stop=film.at - 0.5, after=0.0)
    far = route([foot, (-1.7, 0.7), (-OUT - 1.5, 1.0)], 1.15, start=end + 1.1, before=0.0)
    before, after = (walked(rng, body, path, t, 1.15) for path in (near, far))
    pose = joined(t, joined(t, before, pose, film.at - 0.1, 0.9), after, end + 0.35, 0.9)
    ladder = thing("ladder", len(t), turn=rotation(0.0, LEAN), scale=(1, LADDER / THINGS["ladder"][1], 1))
    over, tall = LADDER * np.sin(np.radians(LEAN)), LADDER * np.cos(np.radians(LEAN)) - 0.35
    house = thing("house", len(t), (over - 0.02, 0, -2.0), scale=(1, tall / THINGS["house"][1], 0.55))
    shows = shown(t, "walk", (film.at + 0.2, "ladder"), (end, "walk"))
    return Staged(Play(_gone(film, shows, t), [(body, pose)]), (film.at, end), [ladder, house])


STAGES: dict[str, Callable[[Scripted, np.ndarray], Staged]] = {
    f.__name__: f for f in (corridor_fall, room_fall, yard_fence, street_fence, street_fight, office_sit, warehouse_box,
                            yard_beside_fence, yard_empty, yard_ladder)}  # fmt: skip
