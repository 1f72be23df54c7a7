"""Which clips there are and what they show: folders, and the lists that data sets come with.

A list is not trusted: a path that leaves the root, a label that is no class and a line that cannot be read are errors that name
file and line. `frostwatch eval` reads the same (internal/eval), and its tests hold the two together: they load this file alone.
"""

import contextlib
import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".flv", ".f4v", ".wmv", ".asf", ".ogv", ".ogg",
    ".mpg", ".mpeg", ".m1v", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".h264", ".264", ".hevc", ".h265", ".265",
    ".mxf", ".gxf", ".dv", ".nut", ".ivf", ".gif", ".m2t", ".dav", ".y4m", ".rm", ".rmvb", ".wtv", ".nsv", ".nuv", ".obu", ".vc1",
    ".h261", ".h263",
}
MAX_LIST = 256 << 20  # bytes; Kinetics-700's list is some 30 MB
HMDB_FILES = "*_test_split*.txt"
JSON_START = re.compile(r"\s*(?:\{|\[\s*[\"{\[])")  # lines may begin with a bracket too, as Something-Something's templates do
NUMBERED_CLASS = re.compile(r"([0-9]{1,9})([ \t]*,[ \t]*|[ \t]+)(.*)")
WORDINGS = re.compile(r"(?:^|\s)\|(?:\s|$)")  # between wordings of one class in classes.txt


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


def folders(root: Path) -> Listing:
    """root/label/clip.mp4: a class for each folder that holds clips, in alphabetical order."""
    found = {d.name: videos(d, (root.resolve(),)) for d in sorted(root.iterdir()) if d.is_dir() and not hidden(d.name)}
    labels = [label for label, files in found.items() if files]
    if not labels:
        raise BadList(f"{root}: there is no folder with clips in it")
    for label in labels:
        if any("\ud800" <= c <= "\udfff" for c in label):  # what Python makes of other bytes
            raise BadList(f"{root}: the name of the folder {label!r} is not UTF-8, so it can be no class' text: rename it")
    clips = [Clip(f, i) for i, label in enumerate(labels) for f in found[label]]
    texts = [split_wordings(label.replace("_", " ")) for label in labels]
    check_texts(root, texts, labels)
    return Listing(clips, texts, root)


def hidden(name: str) -> bool:
    """What systems put beside one's own: rubbish bins, previews, a NAS' @eaDir."""
    return name.startswith((".", "@"))


def videos(folder: Path, within: tuple[Path, ...]) -> list[Path]:
    """All below a folder, in order. Links are followed, but not to the folders that it lies in."""
    real, out = folder.resolve(), []
    if real in within:
        return []
    for f in sorted(folder.iterdir(), key=lambda f: f.name):
        if f.is_dir():
            out += [] if hidden(f.name) else videos(f, (*within, real))
        elif f.suffix.lower() in VIDEO_SUFFIXES and not f.name.startswith("."):
            out.append(f)  # a link that leads nowhere shows when it is read
    return out


def read_classes(path: Path) -> list[list[str]]:
    """Class texts: a line each, numbered or not, wordings between " | "; or JSON, FROSTER's {"0": text} and SSv2's {text: "0"}."""
    text = read_text(path)
    of = classes_of_json if path.suffix.lower() == ".json" or JSON_START.match(text) else classes_of_lines
    texts = of(path, text)
    wordings = [split_wordings(t) for t in texts]
    check_texts(path, wordings, texts)
    return wordings


def classes_of_lines(path: Path, text: str) -> list[str]:
    """Where every line begins with a number, below a header or not, that is no part of the text: UCF101's and Kinetics' lists."""
    lines = [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    rows = class_rows(lines)
    if not rows and len(lines) > 2 and re.search("[,\t]", lines[0][1]):  # a header
        rows = class_rows(lines[1:])
        rows = rows if all(row[2].strip(" ") for _, row in rows) else []
    return numbered_texts(path, rows) if rows else [line for _, line in lines]


def class_rows(lines: list[tuple[int, str]]) -> list[tuple[int, re.Match]]:
    """The number, what stands behind it and the text of each line; empty where one has none."""
    rows = [(i, found) for i, line in lines if (found := NUMBERED_CLASS.fullmatch(line))]
    return rows if len(rows) == len(lines) else []


def numbered_texts(path: Path, rows: list[tuple[int, re.Match]]) -> list[str]:
    """Texts numbered from 0 or 1 in order: in any other they would be shifted."""
    first, texts, commas = min(int(rows[0][1][1]), 1), [], False
    for i, (line, row) in enumerate(rows):
        number, mark, text = row.groups()
        if int(number) != first + i:
            raise BadList(f"{path}:{line}: begins with {number}: want the lines numbered from 0 or 1 in order; texts that "
                          "begin with a number themselves can be given as JSON")
        comma = mark.strip(" ") == ","
        quoted = comma and len(text) > 1 and text[0] == text[-1] == '"'
        texts.append(text[1:-1].replace('""', '"') if quoted else text)
        commas = commas or comma
    if first == 1 and not commas and not any(re.search(r"[ \t]", text) for text in texts):
        return [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text) for text in texts]  # UCF101's, in which words run together
    return texts


def split_wordings(text: str) -> list[str]:
    return [w.strip() for w in WORDINGS.split(text) if w.strip()]


def check_texts(source: Path, classes: list[list[str]], names: list[str]) -> None:
    """Every class has a text that no other has. Capitals and white space make none another: the tokenizer drops them."""
    if not classes:
        raise BadList(f"{source}: want a text for each class")
    taken: dict[str, int] = {}
    for i, wordings in enumerate(classes):
        if not wordings:
            raise BadList(f"{source}: want a text for each class; there is none in {names[i]!r}")
        for wording in wordings:
            other = taken.setdefault(" ".join(wording.lower().split()), i)
            if other != i:
                raise BadList(f"{source}: the classes {names[other][:80]!r} and {names[i][:80]!r} have the same text, "
                              f"{wording[:80]!r}: no model could tell them apart")


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
WORD = re.compile(r"(.*\S)\s+(\S+)")
FRAMES_BEHIND = re.compile(r"(.*\.[A-Za-z0-9]+)\s+[0-9]+")


def path_label(source: Path, numbers: "Numbers") -> Iterator[Line]:
    """`path label`, `path,label` or `path,frames,label`, as FROSTER, SlowFast and most others have it; or with tabs."""
    for line, where in lines(source):
        found = split_line(line, numbers)
        if not found:
            raise BadList(f"{where}: want `path label`")
        yield *found, where


Way = tuple[str, str]  # path and label that a line could mean


def split_line(line: str, numbers: "Numbers") -> Way | None:
    """Path and label, a number or a name.

    Both may hold any separator, so the first way that leaves a class counts; behind a space a name is one word. Where none does,
    it is what to complain of.
    """
    separated = [way for way in at_tab(line) + at_comma(line, numbers.commas) if way[1]]
    ways = separated + at_space(line)
    classes = [way for way in ways if numbers.find(way[1]) is not None]
    digits = [way for way in ways if is_number(way[1])]
    return next(iter(classes + digits + separated[-1:] + ways), None)


def at_tab(line: str) -> list[Way]:
    return ways_of(line.split("\t"), "\t")


def at_comma(line: str, commas: int) -> list[Way]:
    """With quotes as spreadsheets and pandas write them. Without them a name may hold that many commas itself."""
    if re.search(r'(?:^|,)"', line):
        with contextlib.suppress(csv.Error):
            fields = next(csv.reader([line], strict=True))
            if len(fields) > 1:
                return ways_of(fields, ",")
    return ways_of(line.split(","), ",", commas)


def ways_of(fields: list[str], separator: str, within: int = 0) -> list[Way]:
    """The last fields as the label, the longest first, with up to that many separators within it.

    A number behind the path is that of frames; any other field there belongs to the path.
    """
    out = []
    for first in range(max(len(fields) - 1 - within, 1), len(fields)):
        path = fields[: first - 1 if first > 1 and is_number(fields[first - 1].strip()) else first]
        out.append((separator.join(path).strip(), separator.join(fields[first:]).strip()))
    return out


def at_space(line: str) -> list[Way]:
    """A number before the label is that of frames only behind what ends like a file: paths may hold spaces."""
    found = WORD.fullmatch(line)
    if not found:
        return []
    frames = FRAMES_BEHIND.fullmatch(found[1])
    return [((frames or found)[1], found[2])]


def kinetics(source: Path, _: "Numbers") -> Iterator[Line]:
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


def ucf(source: Path, _: "Numbers") -> Iterator[Line]:
    """trainlist01.txt and testlist01.txt: the class is the folder; the number after it, from 1, says the same."""
    for line, where in lines(source):
        path = line.split()[0]
        yield path, path.split("/")[0], where


def hmdb(source: Path, _: "Numbers") -> Iterator[Line]:
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


def ssv2(source: Path, _: "Numbers") -> Iterator[Line]:
    """Something-Something v2: [{"id": "74225", "template": "Putting [something] on a surface"}]."""
    text = read_text(source)
    try:
        for i, entry in enumerate(json.loads(text)):
            yield f"{int(entry['id'])}.webm", str(entry["template"]).replace("[", "").replace("]", ""), f"{source}: entry {i}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadList(f"{source}: want a list of objects with id and template") from None


FORMATS: dict[str, Callable[[Path, "Numbers"], Iterator[Line]]] = {
    "list": path_label, "kinetics": kinetics, "ucf": ucf, "hmdb": hmdb, "ssv2": ssv2,
}


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


class Numbers:
    """Finds a class by its number or its name: its first wording up to a colon, however it is spaced and spelt in capitals."""

    def __init__(self, classes: list[list[str]]) -> None:
        self.count = len(classes)
        self.named: dict[str, list[int]] = {}
        for i, wordings in enumerate(classes):
            self.named.setdefault(fold(name_of(wordings)), []).append(i)
        self.commas = max((name_of(wordings).count(",") for wordings in classes), default=0)  # in one name

    def called(self, name: str) -> list[int]:
        """The classes of that name; several where only their descriptions differ."""
        key = fold(name)
        return self.named.get(key, []) if key else []  # no key is what any punctuation has

    def find(self, label: str) -> int | None:
        if is_number(label):
            return int(label) if len(label) < 9 and int(label) < self.count else None
        found = self.called(label)
        return found[0] if len(found) == 1 else None

    def of(self, label: str, where: str) -> int:
        number = self.find(label)
        if number is not None:
            return number
        if is_number(label):
            raise BadList(f"{where}: label {label[:20]} but there are {self.count} classes, from 0")
        what = "names more than one class" if self.called(label) else "is not among the classes"
        raise BadList(f"{where}: {label[:80]!r} {what}")


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def name_of(wordings: list[str]) -> str:
    """What lists call a class."""
    return wordings[0].partition(":")[0].strip()


def fold(text: str) -> str:
    """Letters, digits, marks and signs of any script, in one case. Punctuation goes, but for what tells C from C#."""
    text = unicodedata.normalize("NFC", text.casefold())
    return "".join(c for c in text if unicodedata.category(c)[0] in "LMNS" or c in "#%&*@")


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
