"""What was trained on and what was not: the claims about novel actions and unseen wordings rest on these lists."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from demo.actions import ACTIONS
from demo.corpus import corpus, third_person
from demo.words import COUPLES, FRAMES, LIGHTS, PAIRS, SUBJECTS, TASKS, caption
from froster.tokenizer import Tokenizer

LARGE = TASKS["large"]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return corpus(Tokenizer())


def shown() -> Iterator[str]:
    """Everything that a caption may say is shown."""
    yield from (f"{who} {what}" for phrases in FRAMES.values() for what in phrases for who in SUBJECTS)
    yield from (f"{who} {what}" for phrases in PAIRS.values() for what in phrases for who in COUPLES)


def test_captions_never_hold_a_novel_class_text():
    for words in LARGE.novel.values():
        assert not any(words.text in said for said in shown()), words.text


def test_no_training_text_holds_an_unseen_wording(texts):
    learnt = [w for words in LARGE.all.values() for w in (words.text, *words.learnt)]
    everything = "\n".join([*texts, *shown(), *learnt])
    for words in LARGE.all.values():
        assert len(words.unseen) == 3
        assert not [w for w in words.unseen if re.search(rf"\b{re.escape(w)}\b", everything)]


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
    assert len(texts) == len(set(texts)) and texts == corpus(Tokenizer())
