"""The demo's films: staged where their labels say, and within the square that the model sees."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from demo.films import FILMS, HEIGHT, RATE, WIDTH, labels, scene
from demo.render import project

STAGED = {}


def staged(film):
    if film.name not in STAGED:
        STAGED[film.name] = scene(film, np.arange(round(film.seconds * RATE)) / RATE)
    return STAGED[film.name]


@pytest.mark.parametrize("film", FILMS, ids=lambda f: f.name)
def test_labels_cover_the_film(film):
    made = staged(film)
    spans = labels(film, made.take, made.shows)["labels"]
    assert spans[0]["start_s"] == 0 and spans[-1]["end_s"] == pytest.approx(film.seconds, abs=1 / RATE)
    assert all(a["end_s"] == b["start_s"] for a, b in pairwise(spans))
    events = [s for s in spans if s["action"] == film.action]
    assert len(events) == 1
    if film.at:
        assert abs(events[0]["start_s"] - film.at) < 1


@pytest.mark.parametrize("film", FILMS, ids=lambda f: f.name)
def test_the_event_is_within_the_middle_square(film):
    made = staged(film)
    if not made.take.actors:
        return
    spans = labels(film, made.take, made.shows)["labels"]
    event = next(s for s in spans if s["action"] == film.action)
    frames = slice(round(event["start_s"] * RATE), round(event["end_s"] * RATE))
    actors = [replace(a, joints=a.joints[frames]) for a in made.take.actors]
    take = replace(made.take, times=made.take.times[frames], actors=actors)
    pixels, _ = project(take, made.camera, WIDTH, HEIGHT)
    side = (WIDTH - HEIGHT) / 2
    within = (pixels[..., 0] > side) & (pixels[..., 0] < WIDTH - side) & (pixels[..., 1] > 0) & (pixels[..., 1] < HEIGHT)
    assert within.mean() > 0.8
