"""A line of a list split into path and label, where both may hold what separates them."""

import contextlib
import csv
import re

from .class_names import Numbers, is_number

Way = tuple[str, str]  # path and label that a line could mean
WORD = re.compile(r"(.*\S)\s+(\S+)")
FRAMES_BEHIND = re.compile(r"(.*\.[A-Za-z0-9]+)\s+[0-9]+")


def split_line(line: str, numbers: Numbers) -> Way | None:
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
