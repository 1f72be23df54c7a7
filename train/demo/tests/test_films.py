"""The demo's films: staged where their labels say, within the square that the model sees, and nobody stands frozen in them."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest

from demo import overlay
from demo.films import FILMS, HEIGHT, RATE, WIDTH, labels, scene
from demo.render import project

STAGED = {}


def staged(film):
    if film.name not in STAGED:
        STAGED[film.name] = scene(film)[0]
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
    if not made.take.actors or film.action in ("walk", "box"):  # these pass through
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


@pytest.mark.parametrize("film", FILMS, ids=lambda f: f.name)
def test_nobody_in_the_picture_is_still_for_a_second(film):
    made = staged(film)
    if not made.take.actors:
        return
    pixels, inside = project(made.take, made.camera, WIDTH, HEIGHT)
    for k in range(pixels.shape[1]):
        for i in range(0, len(pixels) - RATE, 5):
            if inside[i : i + RATE, k].all():
                moved = np.linalg.norm(np.ptp(pixels[i : i + RATE, k], 0), axis=-1)
                assert moved.max() > 1.0, f"second {i / RATE:.1f}"


@pytest.mark.parametrize("film", FILMS, ids=lambda f: f.name)
def test_a_film_may_begin_again(film):
    """At its first and its last frame nobody is to be seen, but who sits there all the time."""
    if film.action == "sit":
        return
    made = staged(film)
    _, inside = project(made.take, made.camera, WIDTH, HEIGHT)
    assert not inside[[0, -1]].any()


def test_no_two_cameras_show_the_same_person_or_time():
    people = [c for f in FILMS for c in f.cast]
    assert len({tuple(np.concatenate([c.shirt, c.trousers, c.skin, c.hair])) for c in people}) == len(people)
    assert len({f.clock for f in FILMS}) == len(FILMS)


def test_the_clock_runs_and_is_outside_of_what_the_model_sees():
    frames = np.full((RATE + 1, HEIGHT, WIDTH, 3), 90, np.uint8)
    overlay.write(frames, max((f.name for f in FILMS), key=len), datetime(2026, 11, 28, 14, 3, 59), RATE)
    assert (frames[0] == frames[RATE - 1]).all() and (frames[0] != frames[RATE]).any()
    side = (WIDTH - HEIGHT) // 2
    assert (frames[:, :, side : WIDTH - side] == 90).all()
    assert frames[0, :40, :side].max() > 200 and frames[0, :40, WIDTH - side :].max() > 200
