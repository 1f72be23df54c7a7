"""Batches: the same for a seed and an epoch, whoever decodes; broken clips are left out and told."""

import numpy as np
import pytest
import torch
from conftest import Clips

from froster.batches import Augment, Batch, BrokenClip, batches


class Sampled(Clips):
    """Chooses a clip's time by the generator, which shows in its first pixel; every fifth clip is broken."""

    def sample(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        if index % 5 == 4:
            raise BrokenClip(f"clip {index} is broken")
        frames = self.frames[index].copy()
        frames[0, 0, 0, 0] = rng.integers(256)
        return frames, self.labels[index]


def run(clips, epoch: int = 1, workers: int = 0, size: int = 4) -> list[Batch]:
    augment = Augment(32, flip=0.5)
    return list(batches(clips, augment, np.arange(len(clips)), size, seed=3, epoch=epoch, workers=workers))


def same(a: list[Batch], b: list[Batch]) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x.frames, y.frames) and torch.equal(x.labels, y.labels) and x.broken == y.broken
        for x, y in zip(a, b, strict=True)
    )


def test_sizes_and_labels():
    got = run(Clips(10))
    assert [len(b.labels) for b in got] == [4, 4, 2]
    assert got[0].frames.shape == (4, 4, 32, 32, 3)
    assert torch.cat([b.labels for b in got]).tolist() == Clips(10).labels


def test_an_epoch_can_be_had_again_and_the_next_is_another():
    clips = Sampled(12)
    assert same(run(clips), run(clips))
    assert not same(run(clips), run(clips, epoch=2))


def test_other_processes_decode_the_same():
    clips = Sampled(12)
    assert same(run(clips), run(clips, workers=2))


def test_broken_clips_are_left_out():
    got = run(Sampled(12))
    assert [b.broken for b in got] == [[], ["clip 4 is broken"], ["clip 9 is broken"]]
    assert [len(b.labels) for b in got] == [4, 3, 3]


def test_a_batch_of_broken_clips_is_empty():
    (got,) = batches(Sampled(12), Augment(32), np.array([4, 9]), 4, seed=0, epoch=1)
    assert (len(got.labels), len(got.broken)) == (0, 2)


def test_other_errors_are_not_hidden():
    class Buggy(Clips):
        def __getitem__(self, index: int):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Buggy(1))
