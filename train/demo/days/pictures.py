"""The frames of an hour at the framer's targets, as far as they are needed. Where nothing moves, stills stand for all of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from demo.days.acts import Performance
from demo.days.hours import FRAMES, STRIDE, TARGETS, WINDOWS, Happening, Hour, targets
from demo.days.views import View
from demo.motions.parts import Play
from demo.render import Grade, Look, Renderer, grade
from demo.skeleton import solve
from demo.stage import Actor, Take, Thing

SIZE = 112  # the model's own
STILLS = 12  # pictures of an empty scene in rain or snow; one is enough in dry weather
POOL = 24  # windows of an empty scene for each time of day, every frame with noise of its own


@dataclass(frozen=True)
class Footage:
    """frames uint8 (n, SIZE, SIZE, 3) and windows int (m, 8) into them.

    of (WINDOWS,): the window in `windows` that stands for each of the hour; reused (WINDOWS,): it stands for others too, which
    happens only where nobody is.
    """

    frames: np.ndarray
    windows: np.ndarray
    of: np.ndarray
    reused: np.ndarray


def film(renderer: Renderer, hour: Hour, rng: np.random.Generator) -> Footage:
    """Renders and spoils what the hour's windows need."""
    times, phase = targets(TARGETS), np.zeros(TARGETS, int)
    for i, p in enumerate(hour.phases):
        phase[times >= p.start] = i
    moving = np.zeros(TARGETS, bool)
    for h in hour.happenings:
        moving |= (times >= h.start) & (times < h.end)
    slots = np.arange(WINDOWS)[:, None] * STRIDE + np.arange(FRAMES)
    idle = ~moving[slots].any(1) & (phase[slots] == phase[slots][:, :1]).all(1)
    needed = np.unique(slots[~idle])
    frames = np.empty((len(needed), SIZE, SIZE, 3), np.uint8)
    where = np.full(TARGETS, -1)
    where[needed] = np.arange(len(needed))
    stills = [still(renderer, hour.view, p.look) for p in hour.phases]
    empty = needed[~moving[needed]]
    frames[where[empty]] = [stills[phase[i]][rng.integers(len(stills[phase[i]]))] for i in empty]
    for some, take, look in takes(hour, times, phase, moving):
        frames[where[some]] = renderer.render(take, look, hour.view.camera, hour.view.around)
    for i, p in enumerate(hour.phases):
        of_phase = where[needed[phase[needed] == i]]
        frames[of_phase] = spoilt(frames[of_phase], rng, p.grade)
    found = Footage(frames, where[slots[~idle]], np.where(idle, -1, np.cumsum(~idle) - 1), idle)
    return _pooled(hour, rng, stills, found, phase[slots[:, 0]])


def _pooled(hour: Hour, rng: np.random.Generator, stills: list[np.ndarray], found: Footage, phase: np.ndarray) -> Footage:
    """The footage with windows for the times when nothing moves, drawn from a pool for each phase."""
    frames, windows, of = [found.frames], [found.windows], found.of.copy()
    count, begin = len(found.windows), len(found.frames)
    for i, p in enumerate(hour.phases):
        alike = np.flatnonzero(found.reused & (phase == i))
        size = min(POOL, len(alike))
        if size:
            picked = stills[i][rng.integers(len(stills[i]), size=size * FRAMES)]
            frames.append(spoilt(picked, rng, p.grade))
            windows.append(begin + np.arange(size * FRAMES).reshape(size, FRAMES))
            of[alike] = count + rng.integers(size, size=len(alike))
            count, begin = count + size, begin + size * FRAMES
    return Footage(np.concatenate(frames), np.concatenate(windows), of, found.reused)


def spoilt(frames: np.ndarray, rng: np.random.Generator, how: Grade) -> np.ndarray:
    """grade, a few frames at a time: floats of all of them would not stay in any cache."""
    return np.concatenate([grade(frames[i : i + 32], rng, how) for i in range(0, len(frames), 32)] or [frames])


def still(renderer: Renderer, view: View, look: Look) -> np.ndarray:
    """Pictures of the scene with nobody in it."""
    times = np.arange(1 if look.weather in ("none", "fog") else STILLS) * 0.6
    return renderer.render(Take("empty", times, [], standing(view, len(times))), look, view.camera, view.around)


def standing(view: View, frames: int) -> list[Thing]:
    return [Thing(x.kind, np.repeat(x.pose, frames, 0), x.size) for x in view.stands]


def takes(hour: Hour, times: np.ndarray, phase: np.ndarray, moving: np.ndarray) -> Iterator[tuple[np.ndarray, Take, Look]]:
    """Stretches of frames with the same people in the same light: their numbers, the take, and the look."""
    within = np.array([(times >= h.start) & (times < h.end) for h in hour.happenings]).reshape(-1, len(times))
    change = (within[:, 1:] != within[:, :-1]).any(0) | (phase[1:] != phase[:-1])
    cast = [Cast.of(h, times) for h in hour.happenings]
    for a, b in pairwise([0, *(np.flatnonzero(change) + 1), len(times)]):
        if moving[a]:
            there = [c for c, w in zip(cast, within, strict=True) if w[a]]
            look = hour.phases[phase[a]].look
            yield np.arange(a, b), _together(hour.view, there, times[a:b], a), dressed(look, there)


@dataclass(frozen=True)
class Cast:
    """The people and things of one happening, over the frames from `first` on."""

    happening: Happening
    first: int
    actors: list[Actor]
    things: list[Thing]

    @classmethod
    def of(cls, happening: Happening, times: np.ndarray) -> "Cast":
        first, end = np.searchsorted(times, (happening.start, happening.end))
        actors, things = acted(happening.performance, times[first:end] - happening.start) if end > first else ([], [])
        return cls(happening, int(first), actors, things)


def acted(performance: Performance, t: np.ndarray) -> tuple[list[Actor], list[Thing]]:
    """Joints and things of a performance at times (F,) from its start on."""
    play: Play = performance.play(t)
    return [Actor(solve(body, pose).astype(np.float32), body.height) for body, pose in play.people], play.things


def dressed(look: Look, cast: list[Cast]) -> Look:
    """The look with the clothes of those who are there, in the order in which they are drawn."""
    return replace(look, clothes=tuple(c.happening.look.clothes[i] for c in cast for i in range(len(c.actors))))


def _together(view: View, cast: list[Cast], times: np.ndarray, first: int) -> Take:
    cut = [slice(first - c.first, first - c.first + len(times)) for c in cast]
    actors = [replace(a, joints=a.joints[s]) for c, s in zip(cast, cut, strict=True) for a in c.actors]
    things = [Thing(x.kind, x.pose[s], x.size) for c, s in zip(cast, cut, strict=True) for x in c.things]
    return Take("", times, actors, [*things, *standing(view, len(times))])
