"""From a set of clips to batches, the same ones for a seed and an epoch however many processes decode."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .pixels import resize_and_crop, resize_short_side


class ClipSet(Protocol):
    """Clips with their classes. `__getitem__` gives uint8 RGB frames [T, h, w, 3] and the class' number.

    A set may also have `sample(index, rng)`, which gives the same but chooses where in a video the clip lies. Either raises
    BrokenClip for a clip that cannot be read. And it may have `identity()`, text that is another for other clips: a run that
    was stopped goes on with the same ones only.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]: ...


class BrokenClip(Exception):
    """A clip that cannot be read; the message names it and what is wrong."""


@dataclass(frozen=True)
class Augment:
    """How a clip is brought to the model's size, with the official jitter of size and place and mirroring where asked."""

    size: int
    jitter: float = 1.0  # the largest short side that is drawn, of the size; 1: the middle of the clip as it is
    flip: float = 0.0

    def __call__(self, frames: np.ndarray, rng: np.random.Generator) -> Tensor:
        """uint8 [T, h, w, 3] to uint8 [T, size, size, 3]; all frames of a clip alike."""
        x = torch.from_numpy(np.require(frames, requirements="CW"))
        x = self._jitter(x, rng) if self.jitter > 1 else resize_and_crop(x, self.size)
        return x.flip(2) if rng.random() < self.flip else x

    def _jitter(self, frames: Tensor, rng: np.random.Generator) -> Tensor:
        short = round(rng.uniform(self.size, self.jitter * self.size))
        images = resize_short_side(frames.movedim(-1, 1).float(), short)
        top, left = (int(rng.integers(side - self.size + 1)) for side in images.shape[-2:])
        images = images[..., top : top + self.size, left : left + self.size]
        return images.round().clamp(0, 255).byte().movedim(1, -1)


@dataclass(frozen=True)
class Batch:
    """frames uint8 [b, T, size, size, 3], labels int64 [b]; broken has a line for each clip left out."""

    frames: Tensor
    labels: Tensor
    broken: list[str]


class _Items(Dataset):
    """What a decoding process computes: one clip of one epoch."""

    def __init__(self, clips: ClipSet, augment: Augment, seed: int, epoch: int) -> None:
        self.clips, self.augment, self.seed, self.epoch = clips, augment, seed, epoch

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | str:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        try:
            sample = getattr(self.clips, "sample", None)
            frames, label = sample(index, rng) if sample else self.clips[index]
        except BrokenClip as e:
            return str(e)
        return self.augment(frames, rng), int(label)


def collate(items: list[tuple[Tensor, int] | str]) -> tuple[Tensor, Tensor, list[str]]:
    good = [i for i in items if not isinstance(i, str)]
    frames = torch.stack([f for f, _ in good]) if good else torch.empty(0, dtype=torch.uint8)
    return frames, torch.tensor([label for _, label in good], dtype=torch.int64), [i for i in items if isinstance(i, str)]


def batches(clips: ClipSet, augment: Augment, order: np.ndarray, size: int, *, seed: int, epoch: int,
            workers: int = 0, pin: bool = False) -> Iterator[Batch]:
    """The clips in the given order, int [n], in batches of `size`, the last one smaller.

    Clips that cannot be read are left out, so a batch may be smaller or empty. With workers, two batches for each of them
    are decoded ahead and no more.
    """
    items = _Items(clips, augment, seed, epoch)
    groups = [order[i : i + size].tolist() for i in range(0, len(order), size)]
    if workers:
        loader = DataLoader(items, batch_sampler=groups, num_workers=workers, prefetch_factor=2, collate_fn=collate, pin_memory=pin)
        yield from (Batch(*parts) for parts in loader)
    else:
        yield from (Batch(*collate([items[i] for i in group])) for group in groups)

