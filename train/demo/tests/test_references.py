"""Contrast and what is left out of it, on examples worked out by hand, and the sentences themselves."""

import numpy as np
import pytest

from demo.references import SENTENCES, References, auroc, references, share


def at(*degrees: float) -> np.ndarray:
    """Unit vectors of the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def test_too_close_is_what_is_closer_than_nearly_all_pairs():
    against = references(at(0, 10, 90, 180), closer_than=0.8)  # of six pairs the second closest is 80 degrees apart
    assert against.close == pytest.approx(np.cos(np.radians(80)))
    assert against.left_out(at(95)).tolist() == [False, False, True, False]
    assert against.left_out(at(-75, 95)).tolist() == [True, False, True, False]  # close to any of the label's texts


def test_contrast_is_a_softmax_against_the_texts_that_are_left():
    against, label, clip = References(at(0, 90, 180), close=0.99), at(0), at(30)
    similar = {angle: np.cos(np.radians(30 - angle)) for angle in (0, 90, 180)}
    want = np.exp(5 * similar[0]) / sum(np.exp(5 * s) for s in similar.values())
    assert share(against.logits(clip, label, 5.0))[0] == pytest.approx(want)


def test_contrast_of_a_label_that_is_a_reference_itself_does_not_count_it_twice():
    alone = References(at(90, 180), close=0.99)
    with_itself = References(at(0, 90, 180), close=0.99)
    clip = at(10, 50, 120)
    np.testing.assert_allclose(with_itself.logits(clip, at(0), 7.0), alone.logits(clip, at(0), 7.0))
    assert not np.allclose(References(at(0, 90, 180), close=2.0).logits(clip, at(0), 7.0), alone.logits(clip, at(0), 7.0))


def test_auroc():
    assert auroc(np.array([1.0, 2.0]), np.array([0.0, 1.0])) == pytest.approx(3.5 / 4)


def test_sentences_are_plain_and_each_is_there_once():
    lines = SENTENCES.read_text().split("\n")
    assert lines.pop() == ""  # the file ends with a line feed
    assert len({x.lower() for x in lines}) == len(lines) > 300
    assert all(x == x.strip() and x.isascii() and 9 <= len(x) <= 70 for x in lines)
