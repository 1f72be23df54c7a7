"""Clips and their classes from folders, and from the lists that data sets come with.

A list is not trusted: a path that leaves the root, a label that is no class and a line that cannot be read are errors that name
file and line. `frostwatch eval` reads the same (eval), and its tests hold the two together: they load this module with
nothing but Python's own library.
"""

import re
from pathlib import Path

from .class_lists import read_classes
from .class_names import Numbers
from .list_folders import folders
from .list_formats import FORMATS, HMDB_FILES, list_file
from .list_text import read_text
from .listing import BadList, Clip, Listing


def read(source: str | Path, *, format: str = "auto", root: str = "", classes: str = "") -> Listing:
    """Clips by any of FORMATS; auto tells them by what lies there.

    root: what paths are relative to, empty for the list's folder. classes: file of class texts, empty for classes.txt there.
    """
    source = Path(source)
    if format == "auto":
        format = guess(source)
    if format == "folders":
        if classes or root:
            raise BadList(f"{source}: a folder for each class says itself where clips lie and what their classes are; "
                          f"leave {'classes' if classes else 'root'} out")
        return folders(source)
    if format == "export":
        source, format = (source / "train.txt" if source.is_dir() else source), "list"
    if format not in FORMATS:
        raise BadList(f"{source}: format {format!r}: want auto, folders, export, {', '.join(FORMATS)}")
    base = Path(root) if root else source.parent
    texts = read_classes(Path(classes) if classes else source.parent / "classes.txt")
    numbers = Numbers(texts)
    entries = FORMATS[format](source, numbers)
    clips = [Clip(inside(base, path, where), numbers.of(label, where)) for path, label, where in entries]
    if not clips:
        raise BadList(f"{source}: there is no clip in it")
    return Listing(clips, texts, base)


def guess(source: Path) -> str:
    """What lies there."""
    source = list_file(source)
    if source.is_dir():
        if (source / "train.txt").exists():
            return "export"
        return "hmdb" if any(source.glob(HMDB_FILES)) else "folders"
    if "_test_split" in source.name:
        return "hmdb"
    if source.suffix.lower() == ".json":
        return "ssv2"
    if re.fullmatch(r"(train|test)list\d*\.txt", source.name, re.IGNORECASE):
        return "ucf"
    first = read_text(source)[:200].split("\n")[0]
    return "kinetics" if "youtube_id" in first else "list"


def held_out(source: Path, format: str) -> Path:
    """What to measure by: of an export's folder the clips kept for validation, which need not be there."""
    return source / "val.txt" if format == "export" and source.is_dir() else source


def inside(base: Path, path: str, where: str) -> Path:
    """The file below base; whether it exists shows when it is read. A path that leads elsewhere is an error."""
    if not path or "\0" in path:
        raise BadList(f"{where}: no path")
    folder = base.absolute()
    full = Path(*_steps(folder / path))
    if not full.is_relative_to(Path(*_steps(folder))):
        raise BadList(f"{where}: {path[:200]!r} leads out of {folder}; root in [data] says where clips may lie")
    return full


def _steps(path: Path) -> list[str]:
    out: list[str] = []
    for part in path.parts:
        if part == "..":
            del out[max(1, len(out) - 1) :]
        else:
            out.append(part)
    return out
