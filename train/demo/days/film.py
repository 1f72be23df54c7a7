"""Rendering of whole jobs: the frames, and all that is known of them without the model."""

import numpy as np

from demo.days.hours import FRAMES, STEP, STRIDE, WINDOWS, Happening, Hour, happening, hour_of, phases_of, targets
from demo.days.pictures import SIZE, Cast, acted, dressed, film, standing
from demo.days.sites import EVENTS
from demo.days.views import EVENT_SEED, SEED, View, view_of
from demo.render import Renderer, grade
from demo.stage import Take


def film_hour(site: int, number: int) -> tuple[np.ndarray, dict]:
    """Frames of an hour, and its facts: start (n,) of the windows in seconds, reused (n,), what happened, and the light."""
    view = view_of(site)
    hour, renderer = hour_of(view, number), Renderer(SIZE, SIZE, samples=0)
    footage = film(renderer, hour, np.random.default_rng([SEED, site, 1 + number, 1]))
    renderer.release()
    start = np.arange(WINDOWS) * STRIDE * STEP
    return footage.frames, {"windows": footage.windows, "of": footage.of, "reused": footage.reused, "start": start,
                            "facts": {"happenings": [told(h) for h in hour.happenings], "light": lights(hour)}}


def told(h: Happening) -> dict:
    """A happening as JSON; truth is from when to when a staged event can be seen."""
    return {"act": h.act, "start": round(h.start, 3), "end": round(h.end, 3),
            "truth": None if h.truth is None else [round(v, 3) for v in h.truth]}


def lights(hour: Hour) -> list[dict]:
    return [{"start": round(p.start, 3), "light": p.look.light, "weather": p.look.weather} for p in hour.phases]


def film_events(site: int, clips: int) -> tuple[np.ndarray, dict]:
    """Frames of staged events before a camera, at all times of day; clip (n,) is the event of each window, start its own time."""
    view, renderer = view_of(site), Renderer(SIZE, SIZE, samples=0)
    frames, windows, clip, start, staged, begin = [], [], [], [], [], 0
    for kind in view.site.events:
        for number in range(clips):
            made, facts, at = film_event(renderer, view, kind, number)
            rows = np.arange((len(made) - FRAMES) // STRIDE + 1)
            frames.append(made)
            windows.append(begin + rows[:, None] * STRIDE + np.arange(FRAMES))
            clip.append(np.full(len(rows), len(staged)))
            start.append(at + rows * STRIDE * STEP)
            staged.append(facts)
            begin += len(made)
    renderer.release()
    index = np.concatenate(windows)
    return np.concatenate(frames), {"windows": index, "of": np.arange(len(index)), "clip": np.concatenate(clip),
                                    "start": np.concatenate(start), "facts": {"happenings": staged}}


def film_event(renderer: Renderer, view: View, kind: str, number: int) -> tuple[np.ndarray, dict, float]:
    """Frames of one event with a window's time before and after it, its facts, and when its first window begins."""
    rng = np.random.default_rng([EVENT_SEED, view.number, EVENTS.index(kind), number])
    phases = phases_of(view, rng)
    phase = phases[rng.integers(len(phases))]
    h = happening(view, rng, kind, 0.0)
    begin = h.truth[0] - (FRAMES + STRIDE * rng.random()) * STEP
    times = targets(int((h.truth[1] - begin) / STEP) + 1 + FRAMES, begin)
    there = (times >= 0) & (times < h.end)
    frames = np.empty((len(times), SIZE, SIZE, 3), np.uint8)
    cast = Cast(h, 0, *acted(h.performance, times[there]))
    take = Take(kind, times[there], cast.actors, [*cast.things, *standing(view, int(there.sum()))])
    frames[there] = renderer.render(take, dressed(phase.look, [cast]), view.camera, view.around)
    if not there.all():
        empty = Take("empty", times[~there], [], standing(view, int((~there).sum())))
        frames[~there] = renderer.render(empty, phase.look, view.camera, view.around)
    return grade(frames, rng, phase.grade), told(h), begin
