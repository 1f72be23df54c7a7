"""The log of a run."""

import json
from dataclasses import asdict
from pathlib import Path

from froster.report import EpochReport, Log

FIRST = EpochReport(1, clips=9, loss=1.5, lr=3.3e-6, broken=1, broken_clips=["caf\udce9.mp4: cut short"])
SECOND = EpochReport(2, loss=0.1 + 0.2)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_for_each_epoch(tmp_path: Path):
    log = Log(tmp_path / "log.jsonl")
    log.begin([])
    log.add(FIRST, {"base": 0.5})
    log.add(SECOND, None)
    assert lines(log.path) == [asdict(FIRST) | {"val": {"base": 0.5}}, asdict(SECOND)]


def test_it_is_made_to_agree_with_the_state(tmp_path: Path):
    """Of what a run left there: lines of epochs that are done stay, with val; others, of other runs and torn ones, go."""
    log = Log(tmp_path / "log.jsonl")
    of_another_run = EpochReport(1, clips=9, loss=1.6)
    there = [asdict(of_another_run) | {"val": {"base": 0.1}}, asdict(FIRST) | {"val": {"base": 0.5}}, asdict(EpochReport(3)), 5]
    log.path.write_text("".join(json.dumps(x) + "\n" for x in there) + '{"epoch": 2, "cli')
    log.begin([FIRST, SECOND])
    assert lines(log.path) == [asdict(FIRST) | {"val": {"base": 0.5}}, asdict(SECOND)]
    log.begin([])
    assert lines(log.path) == []
    assert [f.name for f in tmp_path.iterdir()] == ["log.jsonl"]
