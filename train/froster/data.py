"""Sets of clips in video files."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import lists
from .class_names import Numbers, name_of
from .config import DataConfig
from .listing import BadList, Clip, Listing
from .sampling import Sampling
from .video import Where, read_clip

SHOWN = 5  # classes that an error names


@dataclass(frozen=True)
class VideoSet:
    """Clips that are decoded when they are asked for: a random one of each video for training, the middle one otherwise."""

    clips: list[Clip]
    sampling: Sampling = field(default_factory=Sampling)
    root: Path = Path()  # that the clips lie below

    def __len__(self) -> int:
        return len(self.clips)

    def identity(self) -> str:
        """Of the files' paths below the root, their sizes and labels and the sampling; the root itself may change."""
        digest = hashlib.sha256(repr(self.sampling).encode())
        for clip in self.clips:
            line = f"{os.path.relpath(clip.path, self.root)}\0{size_of(clip.path)}\0{clip.label}\n"
            digest.update(line.encode(errors="surrogateescape"))
        return digest.hexdigest()

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        clip = self.clips[index]
        return read_clip(clip.path, self.sampling, Where()), clip.label

    def sample(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        clip = self.clips[index]
        return read_clip(clip.path, self.sampling, Where(rng=rng)), clip.label


def size_of(file: Path) -> int:
    """Bytes; -1 of a file that is not there, which shows when it is read."""
    try:
        return file.stat().st_size
    except OSError:
        return -1


def training_set(config: DataConfig) -> tuple[VideoSet, list[list[str]]]:
    """The training clips and each class' wordings."""
    listing = lists.read(config.train, format=config.format, root=config.root, classes=config.classes)
    if len(listing.classes) < 2:
        raise BadList(f"{config.train}: {listing.classes[0][0]!r} is its only class: want two at least, "
                      "such as what is seen when it does not happen")
    return VideoSet(listing.clips, Sampling(config.frames, config.step), listing.root), listing.classes


def validation_set(config: DataConfig, classes: list[list[str]]) -> VideoSet | None:
    """The clips of config.val by the same classes; None where none are named."""
    if not config.val:
        return None
    listing = validation_listing(config)
    return VideoSet(renumbered(listing, classes, config), Sampling(config.frames, config.step), listing.root)


def validation_listing(config: DataConfig) -> Listing:
    """By its own classes.txt where it has one. Folders beside a training list have neither its root nor its classes."""
    source = Path(config.val)
    try:
        format = lists.guess(source) if config.format == "auto" else config.format
        if format == "folders":
            return lists.read(source, format=format)
        source = lists.held_out(source, format)
        classes = config.classes or beside(source) or beside(Path(config.train))
        return lists.read(source, format=format, root=config.root, classes=classes)
    except FileNotFoundError as e:
        if Path(e.filename) != source:
            raise
        raise BadList(f"data.val: there is no {source}; an export that kept no clips for validation has no val.txt: "
                      "leave data.val out then") from None


def beside(source: Path) -> str:
    """The classes.txt of a list or an export; empty where there is none."""
    file = (source if source.is_dir() else source.parent) / "classes.txt"
    return str(file) if file.exists() else ""


def renumbered(listing: Listing, classes: list[list[str]], config: DataConfig) -> list[Clip]:
    """The validation clips by the numbers that their classes have in training, which may know more of them.

    A class is found again by its text, or else by its name.
    """
    texts, numbers = {c[0]: [i] for i, c in enumerate(classes)}, Numbers(classes)
    used = {label: listing.classes[label] for label in sorted({c.label for c in listing.clips})}
    found = {label: texts.get(c[0]) or numbers.called(name_of(c)) for label, c in used.items()}
    if extra := [used[label][0] for label, same in found.items() if len(same) != 1]:
        known = {i for same in found.values() for i in same}
        unseen = [c[0] for i, c in enumerate(classes) if i not in known]
        raise BadList(f"{config.val}: not among the classes of {config.train}: {shown(extra)}; "
                      f"of those there is no clip here of: {shown(unseen) or 'none'}")
    return [Clip(c.path, found[c.label][0]) for c in listing.clips]


def shown(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(map(repr, texts[:SHOWN])) + more
