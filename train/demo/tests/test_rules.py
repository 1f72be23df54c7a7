"""Events caught and false alarms, counted on an example worked out by hand."""

from demo.rules import judge

FALL, NONE = [("stand", 0.0), ("fall", 5.0)], [("stand", 0.0)]
ROWS = [
    {"film": "a", "begin": 0, "within": NONE, "scores": {"fall": 0.75}},
    {"film": "a", "begin": 0, "within": FALL, "scores": {"fall": 0.6}},
    {"film": "a", "begin": 0, "within": FALL, "scores": {"fall": 0.9}},
    {"film": "a", "begin": 4, "within": FALL, "scores": {"fall": 0.5}},
]


def test_an_event_is_caught_once_and_alarms_without_one_are_false():
    assert judge(ROWS, "fall", 0.7) == (1, 2, 1)
    assert judge(ROWS, "fall", 0.5) == (2, 2, 1)
    assert judge(ROWS, "fall", 0.8) == (1, 2, 0)
