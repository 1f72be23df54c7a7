"""Lists of classes: a text for each, or several wordings."""

import json
import re
from pathlib import Path

from .list_text import read_text
from .listing import BadList

JSON_START = re.compile(r"\s*(?:\{|\[\s*[\"{\[])")  # lines may begin with a bracket too, as Something-Something's templates do
NUMBERED_CLASS = re.compile(r"([0-9]{1,9})([ \t]*,[ \t]*|[ \t]+)(.*)")
WORDINGS = re.compile(r"(?:^|\s)\|(?:\s|$)")  # between wordings of one class in classes.txt


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
