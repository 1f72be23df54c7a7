"""Rendered clips as the recipe's engine takes them, and as they are measured."""

import numpy as np

from demo.dataset import SIZE, Split
from demo.views import draw_crop


class Clips:
    """The clips of a split with the number of their class among `actions`; clips of other actions are not touched.

    most, where it is not 0, keeps the first so many of each class.
    """

    def __init__(self, split: Split, actions: tuple[str, ...], most: int = 0) -> None:
        self._split, self._actions = split, actions
        self._kept = [i for i, f in enumerate(split.facts) if f["action"] in actions and not (most and f["number"] >= most)]

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        """uint8 (8, SIZE, SIZE, 3) as stored, and the class."""
        i = self._kept[index]
        return self._split.frames(i), self._actions.index(self._split.facts[i]["action"])

    def sample(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """The clip by a crop that mostly just holds the people, under another light; all frames alike."""
        frames, label = self[index]
        crop = draw_crop(rng, self._split.joints(self._kept[index]), SIZE)
        side = round(crop.side)
        top, left = min(round(crop.top), SIZE - side), min(round(crop.left), SIZE - side)
        frames = frames[:, top : top + side, left : left + side]
        levels = np.arange(256)[:, None] * rng.uniform(0.75, 1.25) * rng.uniform(0.94, 1.06, 3) + rng.uniform(-18, 18)
        table = np.clip(levels, 0, 255).astype(np.uint8)
        return np.stack([table[frames[..., c], c] for c in range(3)], -1), label


