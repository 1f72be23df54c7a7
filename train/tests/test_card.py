"""The model card."""

import hashlib
import json
from pathlib import Path

from froster import card


def test_card(tmp_path: Path):
    (tmp_path / "m.pth").write_bytes(b"weights")
    c = card.Card("guard", ["café", "fall | down"], "MIT", "Sees falls.", ("Not at night.",), "12 epochs", (("top-1", "90%"),))
    card.write(tmp_path, c, tmp_path / "m.pth")
    data = json.loads((tmp_path / "card.json").read_text())
    assert data == {
        "name": "guard", "base_classes": ["café", "fall | down"], "licence": "MIT", "summary": "Sees falls.",
        "limits": ["Not at night."], "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    text = (tmp_path / "README.md").read_text()
    for part in ("# guard", "Sees falls.", "frostwatch model import m.pth --card card.json --name guard", "| top-1 | 90% |",
                 "12 epochs", "- Not at night.", "- café", "Licence: MIT"):
        assert part in text


def test_an_unknown_licence_is_said_to_be_unknown(tmp_path: Path):
    (tmp_path / "m.pth").touch()
    card.write(tmp_path, card.Card("m", ["a"]), tmp_path / "m.pth")
    assert json.loads((tmp_path / "card.json").read_text())["licence"].startswith("unknown")
