"""The look at accuracy while training."""

import numpy as np
import pytest
import torch
from conftest import Broken, Clips

from froster import evaluate
from froster.tokenizer import Tokenizer

TEXTS = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


def test_top1_by_hand():
    classes, clips = torch.eye(3), torch.tensor([[0.1, 0.9, 0], [0.8, 0, 0.1], [0, 0, 1.0], [0.5, 0.4, 0]])
    assert evaluate.top1(clips, torch.tensor([1, 0, 0, 1]), classes) == 0.5
    assert evaluate.top1(torch.empty(0, 3), torch.empty(0, dtype=torch.int64), classes) == 0


def test_harmonic_mean():
    assert evaluate.harmonic_mean(0.778, 0.643) == pytest.approx(0.704, abs=5e-4)  # the paper's figures for K400
    assert evaluate.harmonic_mean(0, 0) == 0


def test_base_and_novel_each_among_their_own(small, tokenizer: Tokenizer):
    model = small()
    got = evaluate.evaluate(model, tokenizer, (Clips(9), TEXTS), (Clips(4, classes=2), ["a", "b"]))
    scores = []
    for clips, texts in ((Clips(9), TEXTS), (Clips(4, classes=2), ["a", "b"])):
        embeddings, labels, _ = evaluate.embed_clips(model, clips)
        scores.append(evaluate.top1(embeddings, labels, evaluate.classifier(model, tokenizer, texts)))
    assert (got.base, got.novel) == tuple(scores)
    assert got.clips == 13
    assert model.training


def test_broken_clips_are_counted_and_named(small, tokenizer: Tokenizer):
    got = evaluate.evaluate(small(), tokenizer, (Broken(5), TEXTS))
    assert (got.clips, got.broken, got.novel, got.harmonic) == (4, 1, None, None)
    assert got.broken_clips == ("clip-0.mp4: cut short",)


def test_as_many_broken_clips_are_named_as_in_training(small, tokenizer: Tokenizer):
    clips = Broken(111, frames=1)
    clips.bad = 110
    got = evaluate.evaluate(small(), tokenizer, (clips, TEXTS))
    assert (got.clips, got.broken, len(got.broken_clips)) == (1, 110, 100)


def test_no_clip_at_all_is_no_accuracy(small, tokenizer: Tokenizer):
    clips = Broken(2)
    clips.bad = 2
    for base, novel in ((clips, None), (Clips(3), clips)):
        with pytest.raises(ValueError, match=r"none of 2 clips can be read: clip-0\.mp4: cut short; clip-1\.mp4: cut short"):
            evaluate.evaluate(small(), tokenizer, (base, TEXTS), novel and (novel, TEXTS))


def test_nothing_is_drawn_at_random(small, tokenizer: Tokenizer):
    class Sampled(Clips):
        def sample(self, index: int, rng: np.random.Generator):
            raise AssertionError("a random clip was asked for")

    evaluate.evaluate(small(), tokenizer, (Sampled(5), TEXTS))


def test_a_set_s_random_choice_is_for_training_alone(small, clips):
    class Random(clips):
        def sample(self, index, rng):
            raise AssertionError("a random clip was asked for")

    embeddings, labels, broken = evaluate.embed_clips(small(), Random(6))
    assert len(embeddings) == len(labels) == 6 and not broken
