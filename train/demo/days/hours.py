"""An hour of video as a shortened day: how the light changes, and what happens when."""

from dataclasses import dataclass, replace

import numpy as np

from demo.days.acts import Performance
from demo.days.repertoire import perform
from demo.days.views import SEED, View
from demo.render import Grade, Look, project
from demo.render.look import sample_look
from demo.scene import TIMES
from demo.skeleton import solve
from demo.stage import Actor, Take

RATE = 15  # frames a second of the cameras
STEP = 127 / 30 / 7  # seconds between the framer's targets
STRIDE, FRAMES = 4, len(TIMES)  # steps between windows, frames of one
HOUR = 3600.0
WINDOWS = int((HOUR / STEP - FRAMES) // STRIDE) + 1
TARGETS = (WINDOWS - 1) * STRIDE + FRAMES
LONG, RARE = 8.0, 0.08  # how much longer some gaps are, and the share of these
STAGED = 0.7  # events staged in an hour, on average
OVERLAP = 0.2  # share of happenings that begin before the one before has ended

# Light, share of the day, and how busy it is then.
OUTDOOR = (("night", 0.10, 0.25), ("dusk", 0.08, 0.8), ("day", 0.27, 1.1), ("overcast", 0.2, 1.1), ("day", 0.1, 1.0),
           ("dusk", 0.1, 0.9), ("night", 0.15, 0.4))
INDOOR = (("infra-red", 0.14, 0.2), ("indoor cold", 0.3, 1.1), ("indoor warm", 0.36, 1.0), ("indoor cold", 0.12, 0.7),
          ("infra-red", 0.08, 0.2))


@dataclass(frozen=True)
class Phase:
    """A time of day: from start to end in seconds of the hour, its light, and how busy it is."""

    start: float
    end: float
    look: Look
    grade: Grade
    busy: float


@dataclass(frozen=True)
class Happening:
    """Something that happens from start to end, in seconds of the hour; look is that of its people's clothes."""

    act: str
    start: float
    end: float
    performance: Performance
    look: Look

    @property
    def truth(self) -> tuple[float, float] | None:
        """From when to when a staged event can be seen."""
        shown = self.performance.truth
        return None if shown is None else (self.start + shown[0], self.start + shown[1])


@dataclass(frozen=True)
class Hour:
    """A shortened day of one camera."""

    view: View
    phases: tuple[Phase, ...]
    happenings: tuple[Happening, ...]


def targets(count: int, begin: float = 0.0) -> np.ndarray:
    """When the frames on display at the framer's targets were taken, in seconds."""
    return np.floor((begin + np.arange(count) * STEP) * RATE + 1e-6) / RATE


def hour_of(view: View, number: int) -> Hour:
    """The hour of that number; all of it follows from the numbers of the site and the hour."""
    rng = np.random.default_rng([SEED, view.number, 1 + number])
    phases = phases_of(view, rng)
    return Hour(view, phases, happenings_of(view, phases, rng))


def phases_of(view: View, rng: np.random.Generator) -> tuple[Phase, ...]:
    """Light as it changes: by the time of day, the weather, and a camera's exposure, which is never quite the same."""
    out, at, own = [], 0.0, np.random.default_rng([SEED, view.number, 0])
    night = str(own.choice(("night", "infra-red")))
    usual = INDOOR if view.look.indoor else OUTDOOR
    shares = np.array([share for _, share, _ in usual]) * rng.uniform(0.8, 1.25, len(usual))
    for (light, _, busy), share in zip(usual, shares / shares.sum(), strict=True):
        drawn = sample_look(rng, view.site.place, night if light == "night" else light)
        look = replace(drawn, seed=view.look.seed, sun=view.look.sun if view.look.indoor else drawn.sun)
        dark = look.light in ("night", "infra-red")
        grade = replace(view.grade, night=look.light == "infra-red", noise=view.grade.noise * (1.8 if dark else 1.0),
                        exposure=view.grade.exposure * float(rng.uniform(0.9, 1.1)))
        out.append(Phase(at, at + share * HOUR, look, grade, busy))
        at += share * HOUR
    return (*out[:-1], replace(out[-1], end=np.inf))


def habits_of(view: View) -> tuple[list[str], np.ndarray]:
    """The acts of a site and their shares, which differ between cameras of the same kind."""
    rng = np.random.default_rng([SEED, view.number, 0, 1])
    names = list(view.site.habits)
    shares = np.array([view.site.habits[n] for n in names]) * np.exp(0.4 * rng.standard_normal(len(names)))
    return names, shares / shares.sum()


def happenings_of(view: View, phases: tuple[Phase, ...], rng: np.random.Generator) -> tuple[Happening, ...]:
    """Gaps between happenings are exponential, a few of them many times as long; a busy day is not like the next."""
    names, shares = habits_of(view)
    quiet, out, at = view.site.quiet * float(np.exp(0.15 * rng.standard_normal())), [], 0.0
    events = sorted(rng.uniform(60, HOUR - 90, rng.poisson(STAGED)))
    while True:
        at = after(phases, at, rng.exponential(quiet) * (LONG if rng.random() < RARE else 1.0))
        if events and events[0] < at:
            act, at = str(rng.choice(view.site.events)), max(events.pop(0), out[-1].end if out else 0.0)
        else:
            act = str(rng.choice(names, p=shares))
        made = happening(view, rng, act, at)
        if made.end > HOUR - 5:
            return tuple(out)
        out.append(made)
        crossing = made.truth is None and rng.random() < OVERLAP
        at += made.performance.length * (rng.uniform(0.2, 0.8) if crossing else 1.0)


def after(phases: tuple[Phase, ...], at: float, wait: float) -> float:
    """The time `wait` seconds after `at` on a clock that goes as fast as it is busy."""
    for p in phases:
        if at < p.end:
            if wait <= (p.end - at) * p.busy:
                return at + wait / p.busy
            wait, at = wait - (p.end - at) * p.busy, p.end
    return at


def happening(view: View, rng: np.random.Generator, act: str, start: float) -> Happening:
    """An act that begins at start, with people in clothes of their own. What is staged is staged within the picture."""
    performance = perform(view, rng, act)
    while performance.truth and not seen(view, performance):
        performance = perform(view, rng, act)
    return Happening(act, start, start + performance.length, performance, sample_look(rng, view.site.place))


def seen(view: View, performance: Performance) -> bool:
    """Whether most of those in a staged event are within the picture in its first seconds."""
    start, end = performance.truth
    play = performance.play(np.linspace(start, min(end, start + 4), 5))
    actors = [Actor(solve(body, pose).astype(np.float32), body.height) for body, pose in play.people]
    _, inside = project(Take("", play.shows, actors), view.camera, 100, 100)
    return bool(inside.mean() > 0.8)
