"""Simulated cameras: who comes walks in and leaves, plays do not depend on the frames that are asked for, and nothing is missed."""

import numpy as np
import pytest

from demo.days.hours import FRAMES, HOUR, STRIDE, TARGETS, WINDOWS, after, hour_of, targets
from demo.days.pictures import acted, takes
from demo.days.repertoire import perform
from demo.days.sites import EVENTS, SITES
from demo.days.views import view_of
from demo.render import project
from demo.scene import TIMES
from demo.stage import Take

FEW = [0, 5, 9, 12, 17, 19]  # a ward, an office, a warehouse, a yard, a street, a park
VIEWS = {i: view_of(i) for i in FEW}


def inside(view, performance, t: float) -> float:
    """Share of the people's joints that are within the picture."""
    times = np.array([t])
    actors, _ = acted(performance, times)
    return float(project(Take("", times, actors), view.camera, 100, 100)[1].mean())


@pytest.mark.parametrize("site", FEW)
def test_people_come_from_the_edge_of_the_picture_and_leave(site):
    view, rng, ends = VIEWS[site], np.random.default_rng(3), []
    for act in (*view.site.habits, *view.site.events):
        performance = perform(view, rng, act)
        ends += [inside(view, performance, 0.0), inside(view, performance, performance.length)]
        assert max(inside(view, performance, s * performance.length) for s in (0.35, 0.5, 0.65)) > 0.3, act
    assert np.mean(ends) < 0.2


@pytest.mark.parametrize("site", FEW)
def test_a_play_does_not_depend_on_the_frames_asked_for(site):
    view, rng = VIEWS[site], np.random.default_rng(4)
    for act in (*view.site.habits, *view.site.events):
        performance = perform(view, rng, act)
        t = np.linspace(0, performance.length, 15)
        whole, part = acted(performance, t)[0], acted(performance, t[6:8])[0]
        for a, b in zip(whole, part, strict=True):
            np.testing.assert_allclose(a.joints[6:8], b.joints, atol=1e-4, err_msg=act)


def test_windows_share_half_of_their_frames_and_are_the_framers():
    assert TARGETS == (WINDOWS - 1) * STRIDE + FRAMES and TARGETS * 127 / 210 < HOUR
    assert np.abs(targets(FRAMES) - TIMES).max() <= 1 / 15
    np.testing.assert_array_equal(targets(TARGETS)[STRIDE : STRIDE + 4], targets(FRAMES)[4:])


@pytest.mark.parametrize("site", FEW)
def test_an_hour_is_made_of_its_numbers_alone(site):
    view = VIEWS[site]
    a, b, other = hour_of(view, 2), hour_of(view_of(site), 2), hour_of(view, 3)
    told = [[(h.act, h.start, h.end, h.truth) for h in x.happenings] for x in (a, b, other)]
    assert told[0] == told[1] != told[2]
    assert all(h.end < HOUR for h in a.happenings)
    for h in a.happenings:
        assert (h.act in EVENTS) == (h.truth is not None)
        assert h.truth is None or h.start <= h.truth[0] < h.truth[1] <= h.end


def test_every_moving_frame_is_drawn_once_in_its_own_light():
    hour, times = hour_of(VIEWS[0], 0), targets(TARGETS)
    phase = sum((times >= p.start).astype(int) for p in hour.phases) - 1
    moving = np.zeros(TARGETS, bool)
    for h in hour.happenings:
        moving |= (times >= h.start) & (times < h.end)
    drawn = np.zeros(TARGETS, int)
    for frames, take, look in takes(hour, times, phase, moving):
        drawn[frames] += 1
        assert len(take.times) == len(frames) == len(take.actors[0].joints) and all(len(x.pose) == len(frames) for x in take.things)
        assert len(look.clothes) >= len(take.actors)
        assert {hour.phases[i].look.light for i in phase[frames]} == {look.light}
    np.testing.assert_array_equal(drawn, moving)


def test_waiting_takes_longer_where_it_is_quiet():
    phases = hour_of(VIEWS[17], 0).phases
    assert after(phases, 10.0, 5.0) == pytest.approx(10.0 + 5.0 / phases[0].busy)
    assert after(phases, phases[0].end - phases[0].busy, phases[0].busy**2 + phases[1].busy * 3) == pytest.approx(phases[0].end + 3)


def test_sites_stage_only_what_can_be_climbed():
    assert len({s.name for s in SITES}) == len(SITES) == 20
    for s in SITES:
        assert ("fence" in s.events) == ("fence" in s.things) and ("ladder" in s.events) == ("ladder" in s.things)
