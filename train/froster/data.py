"""Sets of clips in video files."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import lists
from .config import DataConfig
from .lists import Clip
from .sampling import Sampling
from .video import Where, read_clip


@dataclass(frozen=True)
class VideoSet:
    """Clips that are decoded when they are asked for: a random one of each video for training, the middle one otherwise."""

    clips: list[Clip]
    sampling: Sampling = field(default_factory=Sampling)

    def __len__(self) -> int:
        return len(self.clips)

    def identity(self) -> str:
        """Of the files' names, their labels and the sampling; the folder they lie in may change."""
        digest = hashlib.sha256(repr(self.sampling).encode())
        for clip in self.clips:
            digest.update(f"{clip.path.name}\0{clip.label}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        clip = self.clips[index]
        return read_clip(clip.path, self.sampling, Where()), clip.label

    def sample(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        clip = self.clips[index]
        return read_clip(clip.path, self.sampling, Where(rng=rng)), clip.label


def training_set(config: DataConfig) -> tuple[VideoSet, list[list[str]]]:
    """The training clips and each class' wordings."""
    listing = lists.read(config.train, format=config.format, root=config.root, classes=config.classes)
    return VideoSet(listing.clips, Sampling(config.frames, config.step)), listing.classes


def validation_set(config: DataConfig, classes: list[list[str]]) -> VideoSet | None:
    """The clips of config.val by the same classes; None where none are named."""
    if not config.val:
        return None
    listing = lists.read(config.val, format=config.format, root=config.root, classes=config.classes or beside(config))
    if listing.classes != classes:
        raise lists.BadList(f"{config.val}: its classes are not those of {config.train}")
    return VideoSet(listing.clips, Sampling(config.frames, config.step))


def beside(config: DataConfig) -> str:
    """classes.txt of the training list, for a validation list that lies elsewhere."""
    train = Path(config.train)
    file = (train if train.is_dir() else train.parent) / "classes.txt"
    return str(file) if file.exists() else ""
