"""Lists as data sets come with them."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from .class_names import Numbers
from .list_lines import split_line
from .list_text import lines, read_text
from .listing import BadList

HMDB_FILES = "*_test_split*.txt"
Line = tuple[str, str, str]  # path, label as number or name, where it stands


def path_label(source: Path, numbers: Numbers) -> Iterator[Line]:
    """`path label`, `path,label` or `path,frames,label`, as FROSTER, SlowFast and most others have it; or with tabs."""
    for line, where in lines(source):
        found = split_line(line, numbers)
        if not found:
            raise BadList(f"{where}: want `path label`")
        yield *found, where


def kinetics(source: Path, _: Numbers) -> Iterator[Line]:
    """The published CSV: label, youtube_id, time_start, time_end; files as the common downloaders name them."""
    rows = csv.DictReader(io.StringIO(read_text(source), newline=""))
    try:
        for row in rows:
            start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
            label, video = row["label"], row["youtube_id"]
            if not label or not video:
                raise ValueError
            yield f"{label.replace(' ', '_')}/{video}_{start:06d}_{end:06d}.mp4", label, f"{source}:{rows.line_num}"
    except (KeyError, TypeError, ValueError, OverflowError, csv.Error):
        raise BadList(f"{source}:{rows.line_num}: want label, youtube_id, time_start and time_end") from None


def ucf(source: Path, _: Numbers) -> Iterator[Line]:
    """trainlist01.txt and testlist01.txt: the class is the folder; the number after it, from 1, says the same."""
    for line, where in lines(source):
        path = line.split()[0]
        yield path, path.split("/")[0], where


def hmdb(source: Path, _: Numbers) -> Iterator[Line]:
    """ACTION_test_splitN.txt of one split, a folder's, a pattern's or one file, with `clip.avi 1`: 1 trains, 2 tests, 0 is unused.

    SOURCE#2 asks for the test clips.
    """
    name = list_file(source)
    wanted = str(source).removeprefix(str(name)).removeprefix("#") or "1"
    if wanted not in ("1", "2"):
        raise BadList(f"{source}: after # want 1 for training or 2 for testing")
    for file in hmdb_files(name):
        action = re.sub(r"_test_split\d+$", "", file.stem)
        for line, where in lines(file):
            clip, _, use = line.rpartition(" ")
            if use == wanted:
                yield f"{action}/{clip.strip()}", action, where


def hmdb_files(name: Path) -> list[Path]:
    """Those of one split: a clip that another trains by may be a test clip of this one."""
    if name.is_file():
        return [name]
    pattern = name / HMDB_FILES if name.is_dir() else name
    files = sorted(pattern.parent.glob(pattern.name))
    if not files:
        raise BadList(f"{name}: no such file")
    splits = sorted({int(found[1]) for f in files if (found := re.search(r"_test_split(\d+)$", f.stem))})
    if len(splits) > 1:
        one = pattern.parent / f"*_test_split{splits[0]}.txt"
        raise BadList(f"{name} holds splits {', '.join(map(str, splits[:-1]))} and {splits[-1]}: give '{one}'")
    return files


def list_file(source: Path) -> Path:
    """Without hmdb's choice of clips."""
    name, mark, _ = source.name.rpartition("#")
    return source.with_name(name) if mark and name and not source.exists() else source


def ssv2(source: Path, _: Numbers) -> Iterator[Line]:
    """Something-Something v2: [{"id": "74225", "template": "Putting [something] on a surface"}]."""
    text = read_text(source)
    try:
        for i, entry in enumerate(json.loads(text)):
            yield f"{int(entry['id'])}.webm", str(entry["template"]).replace("[", "").replace("]", ""), f"{source}: entry {i}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadList(f"{source}: want a list of objects with id and template") from None


FORMATS: dict[str, Callable[[Path, Numbers], Iterator[Line]]] = {
    "list": path_label, "kinetics": kinetics, "ucf": ucf, "hmdb": hmdb, "ssv2": ssv2,
}
