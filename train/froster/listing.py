"""Which clips there are and what they show."""

from dataclasses import dataclass
from pathlib import Path


class BadList(ValueError):
    """A list of clips or classes that cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Clip:
    path: Path
    label: int


@dataclass(frozen=True)
class Listing:
    """Clips, for each class its wordings, and the folder that all clips lie below."""

    clips: list[Clip]
    classes: list[list[str]]
    root: Path
