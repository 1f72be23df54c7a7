"""Files are replaced in one go: a stop or a full disk leaves the old one and no rest of the new one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write to, which takes the place of path where all went well and is gone where it did not."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save_torch(data: dict, path: Path) -> None:
    """torch.save with an OSError where the file cannot be written whole: torch's writer has a RuntimeError about positions."""
    try:
        torch.save(data, path)
    except RuntimeError as e:
        raise OSError(f"write {path}: torch says {str(e).strip().splitlines()[0]!r}; is the disk full?") from None


def make_writable(folder: Path) -> None:
    """Makes a folder and tries to write there, so that it is known before hours of work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as e:
        raise OSError(f"write to {folder}: {e.strerror}") from None
