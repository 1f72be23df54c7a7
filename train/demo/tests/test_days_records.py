"""What is recorded loads, counts and is exported; a tail is found again."""

import base64
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from demo.days import reading
from demo.days.export import CLIP, records, staged
from demo.days.record import Job, jobs
from demo.days.tail import GAP, Past, fit

STEP = 4 * 127 / 30 / 7
HAPPENINGS = [{"act": "sit", "start": 0.0, "end": 30.0, "truth": None},
              {"act": "fall", "start": 40.0, "end": 70.0, "truth": [45.0, 60.0]}]
MODEL = {"model_id": "m", "logit_scale": 10.0, "vocabulary": {"name": "default", "version": "none"}}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for number in (0, 1):
        (tmp_path / "ward-1").mkdir(exist_ok=True)
        vectors = {k: rng.standard_normal((40, 8)).astype(np.float16) for k in ("embedding", "first3", "last3")}
        facts = np.array(json.dumps({"happenings": HAPPENINGS}))
        file = tmp_path / "ward-1" / f"hour-{number:03d}.npz"
        np.savez(file, **vectors, start=np.arange(40) * STEP, reused=np.zeros(40, bool), facts=facts)
    return tmp_path


def test_hours_load_in_order_and_name_what_is_staged(folder):
    w = reading.hours(folder, "ward-1")
    assert reading.cameras(folder) == ["ward-1"] and reading.cameras(folder, "events") == []
    assert len(w) == 80 and list(np.unique(w.hour)) == [0, 1]
    fallen = w.where(w.truth == "fall")
    assert ((fallen.start < 60) & (fallen.start + reading.SPAN > 45)).all() and len(fallen) == 2 * 8
    assert w.act[0] == "sit" and w.act[-1] == "" and (w.where(w.act == "fall").truth == "").any()


def test_records_are_the_products(folder):
    w = reading.hours(folder, "ward-1")
    made = list(records("ward-1", w, SINCE, 3600.0, MODEL))
    second = made[41]["data"]
    assert second["start"] == "2026-01-01T01:00:02.419048Z" and second["sequence"] == 1
    assert second["clip_id"] == "ward-1-1767229200000-2419"
    raw = np.frombuffer(base64.b64decode(second["embedding"]), "<f2")
    np.testing.assert_array_equal(raw, w.embedding[41])
    rows = list(staged("ward-1", w, SINCE, 3600.0))
    assert [r[:2] for r in rows] == [("ward-1", "falling down")] * 2
    assert rows[0][2] < "2026-01-01T00:00:45" and rows[0][3] > "2026-01-01T00:01:00"


def test_clips_of_events_lie_apart(folder):
    w = reading.hours(folder, "ward-1")
    begins = [r["data"]["start"] for r in records("ward-1", w, SINCE, CLIP, MODEL)]
    assert begins[0] == "2026-01-01T00:00:00.000000Z" and begins[40] == "2026-01-01T00:05:00.000000Z"


def test_finished_hours_are_not_made_again(folder):
    todo = [(j.file.parent.name, j.hour) for j in jobs(folder, 3, [0, 1])]
    assert todo == [("ward-2", 0), ("ward-2", 1), ("ward-1", -1), ("ward-2", -1), ("ward-1", 2), ("ward-2", 2)]
    assert Job(folder, 0, -1).file.name == "events.npz"


def test_happenings_are_not_windows():
    values, hour = np.full(100, -np.inf), np.zeros(100, int)
    values[10:14] = 1.0, 3.0, 2.0, 1.0
    values[13 + GAP] = 2.5  # the same happening still, through what lies between
    values[60], values[61] = 2.0, 4.0
    hour[61:] = 1  # and the next hour begins anew
    past = Past.of(values, hour)
    assert [past.count(t) for t in (5, 4, 3, 2.5, 2, 1, -9)] == [0, 1, 2, 3, 4, 3, 3]
    assert sorted(past.peaks(1.0)) == [2.0, 3.0, 4.0]
    assert past.threshold(2) == 2.75


@pytest.mark.parametrize("seed", range(5))
def test_happenings_are_counted_alike_at_any_height(seed):
    rng = np.random.default_rng(seed)
    past = Past.of(rng.standard_normal(400), np.repeat([0, 1], 200))
    for t in (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0):
        assert past.count(t) == len(past.peaks(t))


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2])
def test_a_tail_gives_the_threshold_that_is_reached_so_often(shape):
    u = np.random.default_rng(1).random(4000)
    over = -np.log(u) if shape == 0 else (u**-shape - 1) / shape
    values = np.full(len(over) * (GAP + 1), -np.inf)
    values[:: GAP + 1] = over  # each a happening of its own
    tail = fit(Past.of(values, np.zeros(len(values), int)), 800)
    want = 20 / len(over)
    truth = -np.log(want) if shape == 0 else (want**-shape - 1) / shape
    assert tail.shape == pytest.approx(shape, abs=0.12)
    assert tail.threshold(20) == pytest.approx(truth, rel=0.2)
