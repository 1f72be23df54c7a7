"""The model card: card.json for `frostwatch model import --card`, README.md for people."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

UNKNOWN = "unknown: see the checkpoint that training began with, and the clips"


@dataclass(frozen=True)
class Card:
    """What is known about a model beside its weights."""

    name: str
    base_classes: list[str]  # what it was trained on; everything else is novel to it
    licence: str = ""
    summary: str = ""
    limits: tuple[str, ...] = ()
    recipe: str = ""  # how it was trained, for the README
    figures: tuple[tuple[str, str], ...] = ()  # what was measured, for the README


def write(folder: Path, card: Card, checkpoint: Path) -> None:
    """Writes card.json and README.md beside the checkpoint, which must exist already."""
    data = {
        "name": card.name, "base_classes": card.base_classes, "licence": card.licence or UNKNOWN,
        "summary": card.summary, "limits": list(card.limits), "sha256": sha256(checkpoint),
    }
    (folder / "card.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    (folder / "README.md").write_text(readme(card, checkpoint))


def readme(card: Card, checkpoint: Path) -> str:
    parts = [f"# {card.name}", card.summary, f"    frostwatch model import {checkpoint.name} --card card.json --name {card.name}"]
    if card.figures:
        rows = "\n".join(f"| {what} | {value} |" for what, value in card.figures)
        parts.append(f"| measured | |\n|---|---|\n{rows}")
    if card.recipe:
        parts.append(f"## How it was trained\n{card.recipe}")
    if card.limits:
        parts.append("## Limits\n" + "\n".join(f"- {x}" for x in card.limits))
    classes = "\n".join(f"- {c}" for c in card.base_classes)
    parts.append(f"## Base classes\n{classes}")
    parts.append(f"Licence: {card.licence or UNKNOWN}")
    return "\n\n".join(p for p in parts if p) + "\n"


def sha256(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
