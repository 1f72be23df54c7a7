"""Batches: the same for a seed and an epoch, whoever decodes; broken clips are left out and told."""

import numpy as np
import pytest
import torch
from conftest import Clips

from froster.batches import Augment, Batch, BrokenClip, batches
from froster.pixels import resize_short_side


class Sampled(Clips):
    """Chooses a clip's time by the generator, which shows in its first pixel; every fifth clip is broken."""

    def sample(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        if index % 5 == 4:
            raise BrokenClip(f"clip {index} is broken")
        frames = self.frames[index].copy()
        frames[0, 0, 0, 0] = rng.integers(256)
        return frames, self.labels[index]


def across(size: int) -> np.ndarray:
    """A clip whose red says how far to the right a column is, 0..255."""
    return np.broadcast_to(np.linspace(0, 255, size).astype(np.uint8)[:, None], (1, size, size, 3))


@pytest.mark.parametrize("size", [32, 112])
def test_jitter_shows_most_of_a_clip_to_a_model_of_any_size(size: int):
    """And not all of it, nor always the same part."""
    augment = Augment(size, jitter=1.25)
    rows = [augment(across(256), np.random.default_rng(s))[0, 0, :, 0].int() for s in range(40)]
    shares = [(int(r[-1]) - int(r[0])) / 255 for r in rows]
    assert 0.77 < min(shares) < 0.85
    assert max(shares) > 0.95
    assert len({int(r[0]) for r in rows}) > 10


def test_jitter_is_drawn_as_the_official_code_draws_it():
    """The short side in pixels, rounded, of 224 to 256; then the place above and left."""
    frames = np.random.default_rng(0).integers(0, 256, (2, 240, 320, 3), dtype=np.uint8)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        images = resize_short_side(torch.from_numpy(frames).movedim(-1, 1).float(), round(rng.uniform(224, 256)))
        top, left = (int(rng.integers(side - 224 + 1)) for side in images.shape[-2:])
        want = images[..., top : top + 224, left : left + 224].round().byte().movedim(1, -1)
        assert torch.equal(Augment(224, jitter=256 / 224)(frames, np.random.default_rng(seed)), want)


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
