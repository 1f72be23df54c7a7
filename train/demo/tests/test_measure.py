"""The figures, against an example that is worked out by hand."""

import pytest
import torch

from demo.clips import Clips
from demo.measure import Embedded, per_class, scores
from demo.words import Task, Words

TASK = Task({"a": Words("a"), "b": Words("b")}, {"c": Words("c"), "d": Words("d")})
CLASSES = torch.eye(4)
# Of a: one right, one taken for c. Of b: right. Of c: taken for a among all, but right among the novel. Of d: taken for c.
CLIPS = torch.tensor([[1.0, 0, 0, 0], [0.4, 0.1, 0.9, 0], [0, 1, 0, 0], [0.9, 0, 0.5, 0.1], [0, 0, 0.8, 0.2]])
EMBEDDED = Embedded(CLIPS, torch.tensor([0, 0, 1, 2, 3]))


def test_scores():
    got = scores(EMBEDDED, CLASSES, base=2)
    assert got == pytest.approx({"base": 1.0, "novel": 0.5, "all": 0.4, "novel_among_all": 0.0, "harmonic": 2 / 3})


def test_what_was_taken_for_what():
    assert per_class(EMBEDDED, CLASSES, TASK) == {"a": {"a": 0.5, "c": 0.5}, "b": {"b": 1.0}, "c": {"a": 1.0}, "d": {"c": 1.0}}


class FakeSplit:
    """Four clips, by action."""

    facts = tuple({"action": a, "number": n} for a, n in (("a", 0), ("c", 0), ("a", 1), ("b", 0)))

    def frames(self, index: int) -> int:
        return index


def test_clips_of_other_actions_are_not_touched():
    clips = Clips(FakeSplit(), ("b", "a"))
    assert [clips[i] for i in range(len(clips))] == [(0, 1), (2, 1), (3, 0)]
    few = Clips(FakeSplit(), ("b", "a"), most=1)
    assert [few[i] for i in range(len(few))] == [(0, 1), (3, 0)]
