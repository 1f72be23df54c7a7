"""What was trained on and what was not: the claims about novel actions and unseen wordings rest on these lists."""

import numpy as np
import pytest

from demo.actions import ACTIONS
from demo.corpus import corpus, third_person
from demo.words import FRAMES, LIGHTS, TASKS, caption
from froster.tokenizer import Tokenizer

LARGE = TASKS["large"]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return corpus(Tokenizer(), phrases=4000, captions=2000)


def test_captions_never_hold_a_novel_class_text():
    for words in LARGE.novel.values():
        for phrases in FRAMES.values():
            assert not any(words.text in p or p == words.text for p in phrases), words.text


def test_unseen_wordings_are_nowhere_in_training(texts):
    learnt = {w for words in LARGE.all.values() for w in (words.text, *words.learnt)}
    for words in LARGE.all.values():
        assert len(words.unseen) == 3
        assert not set(words.unseen) & (learnt | set(texts))


def test_every_class_has_an_action_and_novel_ones_have_nothing_to_learn():
    assert set(LARGE.all) == set(ACTIONS)
    assert not any(words.learnt for words in LARGE.novel.values())
    assert set(TASKS["small"].base) <= set(LARGE.base) and set(TASKS["small"].novel) <= set(LARGE.novel)


def test_a_caption_says_what_is_shown():
    rng = np.random.default_rng(1)
    drawn = [caption(rng, "fence", "yard", "night") for _ in range(400)]
    assert all("fence" in c for c in drawn)
    assert 10 < sum("in a yard" in c for c in drawn) < 150
    assert any(LIGHTS["night"] in c for c in drawn)


@pytest.mark.parametrize(("doing", "does"), [
    ("falling down", "falls down"), ("running away", "runs away"), ("carrying a box", "carries a box"),
    ("dancing", "dances"), ("pushing a cart", "pushes a cart"), ("riding a bike", "rides a bike"),
    ("unconscious", "unconscious")])
def test_third_person(doing, does):
    assert third_person(doing) == does


def test_the_corpus_has_no_doubles_and_does_not_change(texts):
    assert len(texts) == len(set(texts)) and texts == corpus(Tokenizer(), phrases=4000, captions=2000)
