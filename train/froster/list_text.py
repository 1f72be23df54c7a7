"""The text of lists, line by line."""

from collections.abc import Iterator
from pathlib import Path

from .listing import BadList

MAX_LIST = 256 << 20  # bytes; Kinetics-700's list is some 30 MB


def lines(source: Path) -> Iterator[tuple[str, str]]:
    """Lines that are not blank, and where they stand."""
    for i, line in enumerate(read_text(source).split("\n"), 1):
        if line.strip():
            yield line.strip(), f"{source}:{i}"


def read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_LIST:
            raise BadList(f"{path}: larger than a list can be")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadList(f"{path}: not UTF-8 text") from None
