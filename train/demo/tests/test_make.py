"""What is kept of a plan."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from demo.make import Plan, keep


def test_a_folder_has_one_plan(tmp_path: Path):
    file = tmp_path / "plan.json"
    keep(Plan(), file)
    keep(Plan(), file)
    assert json.loads(file.read_text())["recipe"]["epochs"] == Plan().recipe.epochs
    with pytest.raises(SystemExit, match="another plan"):
        keep(replace(Plan(), per_class=3), file)
