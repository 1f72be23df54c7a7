"""Which windows hold an event, and what the figures of a table are made of."""

import numpy as np
import pytest

from demo.contrast import Part, as_recorded, held
from demo.rules import SPAN


@pytest.mark.parametrize(("event", "window", "want"), [
    ((9.0, 9.8), 8.9, True),  # all of a short one
    ((9.0, 9.8), 9.1, False),
    ((0.0, 20.0), 5.0, True),  # nothing else
    ((0.0, 20.0), 20 - SPAN / 2, True),  # half of the window
    ((0.0, 20.0), 20.1 - SPAN / 2, False),
])  # fmt: skip
def test_held(event: tuple[float, float], window: float, want: bool):
    assert held(*event, window) is want


def test_clips_are_what_a_recording_holds():
    frames = np.full((1, 8, 2), 1 / 3, np.float32)
    clip = Part(frames, {}, {}).clips
    assert clip.dtype == np.float32
    assert clip[0, 0] == np.float32(np.float16(1 / 3)) != np.float32(1 / 3)
    assert as_recorded(clip)[0, 0] == clip[0, 0]
