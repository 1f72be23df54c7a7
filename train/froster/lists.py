"""Which clips there are and what they show: folders, and the lists that data sets come with.

A list is not trusted: a path that leaves the root, a label that is no class and a line that cannot be read are errors that name
file and line.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VIDEO_SUFFIXES = {".mp4", ".mkv", ".avi", ".mov", ".webm", ".mpg", ".mpeg", ".ts", ".m4v", ".flv", ".wmv", ".3gp"}
MAX_LIST = 256 << 20  # bytes; Kinetics-700's list is some 30 MB
WORDINGS = re.compile(r"(?:^|\s)\|(?:\s|$)")  # between wordings of one class in classes.txt


class BadList(ValueError):
    """A list of clips or classes that cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Clip:
    path: Path
    label: int


@dataclass(frozen=True)
class Listing:
    """Clips, and for each class its wordings."""

    clips: list[Clip]
    classes: list[list[str]]


def read(source: str | Path, *, format: str = "auto", root: str = "", classes: str = "") -> Listing:
    """Clips by any of FORMATS; auto tells them by what lies there.

    root: what paths are relative to, empty for the list's folder. classes: file of class texts, empty for classes.txt there.
    """
    source = Path(source)
    if format == "auto":
        format = guess(source)
    if format == "export":
        source, format = (source / "train.txt" if source.is_dir() else source), "list"
    if format == "folders":
        return folders(source)
    if format not in FORMATS:
        raise BadList(f"{source}: format {format!r}: want auto, folders, export, {', '.join(FORMATS)}")
    base = Path(root) if root else source.parent
    texts = read_classes(Path(classes) if classes else source.parent / "classes.txt", format)
    numbers = Numbers(texts)
    clips = [Clip(inside(base, path, where), numbers.of(label, where)) for path, label, where in FORMATS[format](source)]
    if not clips:
        raise BadList(f"{source}: there is no clip in it")
    return Listing(clips, texts)


def guess(source: Path) -> str:
    """What lies there."""
    if source.is_dir():
        return "export" if (source / "train.txt").exists() else "folders"
    if source.suffix == ".json":
        return "ssv2"
    first = read_text(source)[:200].split("\n")[0]
    return "kinetics" if "youtube_id" in first else "list"


def folders(root: Path) -> Listing:
    """root/label/clip.mp4: a class for each folder that holds clips, in alphabetical order."""
    found = {d.name: videos(d) for d in sorted(root.iterdir()) if d.is_dir()}
    labels = [label for label, files in found.items() if files]
    if not labels:
        raise BadList(f"{root}: there is no folder with clips in it")
    clips = [Clip(f, i) for i, label in enumerate(labels) for f in found[label]]
    return Listing(clips, [[label.replace("_", " ")] for label in labels])


def videos(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in VIDEO_SUFFIXES and f.is_file())


def read_classes(path: Path, format: str = "list") -> list[list[str]]:
    """Class texts: a line each, wordings between " | "; or JSON, FROSTER's {"0": text} and SSv2's {text: "0"}.

    UCF101's lines are numbered, and its names run together: "7 BaseballPitch" is "Baseball Pitch".
    """
    text = read_text(path)
    if path.suffix == ".json":
        texts = classes_of_json(path, text)
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if format == "ucf":
            lines = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"^\d+\s+", "", line)) for line in lines]
        texts = lines
    wordings = [[w.strip() for w in WORDINGS.split(t) if w.strip()] for t in texts]
    if not wordings or not all(wordings):
        raise BadList(f"{path}: want a text for each class")
    return wordings


def classes_of_json(path: Path, text: str) -> list[str]:
    try:
        table = json.loads(text)
        pairs = {int(k): v for k, v in table.items()} if all(k.isdigit() for k in table) else {int(v): k for k, v in table.items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as e:
        raise BadList(f"{path}: want an object of numbers and texts: {e}") from None
    if sorted(pairs) != list(range(len(table))) or not all(isinstance(v, str) for v in pairs.values()):
        raise BadList(f"{path}: the classes are not numbered from 0 without gaps")
    return [pairs[i] for i in range(len(pairs))]


Line = tuple[str, str, str]  # path, label as number or name, where it stands
LINE = re.compile(r"""
    ([^\t]+) (?:\t\d+)? \t ([^\t]+)  # the number between is that of frames
  | (.+?) (?:,\s*\d+)? ,\s* (\d+)
  | (.+) \s (\S+)
""", re.VERBOSE)


def path_label(source: Path) -> Iterator[Line]:
    """`path label`, `path,label` or `path,frames,label`, as FROSTER, SlowFast and most others have it; or with tabs.

    A label is a number, or a name: one with spaces in it after a tab only.
    """
    for line, where in lines(source):
        found = LINE.fullmatch(line)
        if not found:
            raise BadList(f"{where}: want `path label`")
        path, label = (part for part in found.groups() if part is not None)
        yield path.strip(), label.strip(), where


def kinetics(source: Path) -> Iterator[Line]:
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


def ucf(source: Path) -> Iterator[Line]:
    """trainlist01.txt and testlist01.txt: the class is the folder; the number after it, from 1, says the same."""
    for line, where in lines(source):
        path = line.split()[0]
        yield path, path.split("/")[0], where


def hmdb(source: Path) -> Iterator[Line]:
    """A folder of ACTION_test_splitN.txt, or one such file, with `clip.avi 1`: 1 is for training, 2 for testing, 0 unused.

    SOURCE#2 asks for the test clips.
    """
    name, _, wanted = str(source).partition("#")
    for file in sorted(Path(name).glob("*_test_split*.txt")) if Path(name).is_dir() else [Path(name)]:
        action = re.sub(r"_test_split\d+$", "", file.stem)
        for line, where in lines(file):
            clip, _, use = line.rpartition(" ")
            if use == (wanted or "1"):
                yield f"{action}/{clip.strip()}", action, where


def ssv2(source: Path) -> Iterator[Line]:
    """Something-Something v2: [{"id": "74225", "template": "Putting [something] on a surface"}]."""
    text = read_text(source)
    try:
        for i, entry in enumerate(json.loads(text)):
            yield f"{int(entry['id'])}.webm", str(entry["template"]).replace("[", "").replace("]", ""), f"{source}: entry {i}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadList(f"{source}: want a list of objects with id and template") from None


FORMATS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "list": path_label, "kinetics": kinetics, "ucf": ucf, "hmdb": hmdb, "ssv2": ssv2,
}


def lines(source: Path) -> Iterator[tuple[str, str]]:
    """Lines that are not blank, and where they stand."""
    for i, line in enumerate(read_text(source).splitlines(), 1):
        if line.strip():
            yield line.strip(), f"{source}:{i}"


def read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_LIST:
            raise BadList(f"{path}: larger than a list can be")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadList(f"{path}: not UTF-8 text") from None


class Numbers:
    """Finds a class by its number or its name: its first wording up to a colon, however it is spaced and spelt in capitals."""

    def __init__(self, classes: list[list[str]]) -> None:
        self.count = len(classes)
        self.named: dict[str, list[int]] = {}
        for i, wordings in enumerate(classes):
            self.named.setdefault(fold(wordings[0].partition(":")[0]), []).append(i)

    def of(self, label: str, where: str) -> int:
        if label.isascii() and label.isdigit():
            if len(label) < 9 and int(label) < self.count:
                return int(label)
            raise BadList(f"{where}: label {label[:20]} but there are {self.count} classes, from 0")
        found = self.named.get(fold(label), [])
        if len(found) != 1:
            raise BadList(f"{where}: {label[:80]!r} {'is not among the classes' if not found else 'names more than one class'}")
        return found[0]


def fold(text: str) -> str:
    """Letters and digits only, of any script, in one case."""
    return re.sub(r"[\W_]+", "", text.casefold())


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
