"""Classes by what lists call them."""

import unicodedata

from .listing import BadList


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
