"""What the comparison prints of its runs, and that what is there is not trained again."""

import json
from pathlib import Path

import pytest

from demo import compare
from demo.compare import Comparison, interval, table
from demo.words import TASKS


def scores(base: float, novel: float) -> dict[str, float]:
    return {"base": base, "novel": novel, "harmonic": 2 * base * novel / (base + novel)}


def test_intervals_are_students():
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0]) == "3.0 ± 2.0"  # 2.776 * 1.5811 / sqrt(5) = 1.963
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) == "4.0 ± 2.0"  # 2.447 * 2.1602 / sqrt(7) = 1.998
    assert interval([7.0]) == "7.0"


def test_the_difference_is_taken_within_each_seed():
    fine = [scores(0.8, 0.5), scores(0.9, 0.7)]
    froster = [scores(0.8, 0.6), scores(0.9, 0.8)]  # ten points of novel each, though seeds differ by twenty
    lines = dict(line.split(maxsplit=1) for line in table({"frozen": [scores(0.7, 0.7)], "fine-tuned": fine, "froster": froster}))
    assert list(lines) == ["frozen", "fine-tuned", "froster", "difference"]
    assert lines["difference"].startswith("base 0.0 ± 0.0  novel 10.0 ± 0.0  harmonic ")
    assert "novel 60.0 ± 127.1" in lines["fine-tuned"]


def test_runs_that_are_there_are_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compare, "make_froster", lambda *_, **__: pytest.fail("trained again"))
    comparison = Comparison(tmp_path, TASKS["small"], None, epochs=4, most=10)
    (tmp_path / "compare-4-10-froster-3.json").write_text(json.dumps(scores(0.9, 0.8)))
    assert comparison.run("froster", 3)["base"] == 0.9
