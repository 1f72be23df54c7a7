"""Which frames make a clip; test_parity has the official numbers."""

import pytest

from froster.sampling import Sampling, offset_start, uniform_start


def test_span_and_window():
    s = Sampling()
    assert (s.span(30), s.window(30)) == (128, 112)
    assert (s.span(15), s.window(15)) == (64, 56)
    assert s.window(25) == 94  # 93.3, up


def test_eight_frames_over_the_span():
    assert Sampling().pick(0, 30, 1000) == [0, 18, 36, 54, 72, 90, 108, 127]
    assert Sampling().pick(10, 30, 1000) == [10, 28, 46, 64, 82, 100, 118, 137]


def test_any_rate_gives_the_same_moments():
    for fps in (12.5, 24, 60):
        moments = [i / fps for i in Sampling().pick(0, fps, 10_000)]
        assert moments == pytest.approx([i / 30 for i in Sampling().pick(0, 30, 10_000)], abs=1.1 * max(1 / fps, 1 / 30))


def test_beyond_the_end_is_the_last_frame():
    assert Sampling().pick(0, 30, 50) == [0, 18, 36, 49, 49, 49, 49, 49]
    assert Sampling().pick(0, 30, 1) == [0] * 8


def test_views():
    assert [uniform_start(300, 112, v, 3) for v in range(3)] == pytest.approx([0, 188 / 3, 376 / 3])
    assert [offset_start(300, 128, v, 3) for v in range(3)] == [0, 86, 172]
    assert offset_start(301, 128, 0, 1) == 86
    assert offset_start(50, 128, 0, 1) == uniform_start(50, 112, 2, 3) == 0


def test_a_rate_that_is_absurd_still_gives_frames():
    assert Sampling().window(1e-9) == 1
    assert Sampling().pick(0, 1e-9, 5) == [0] * 8
