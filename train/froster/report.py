"""What is told of each epoch, and the file that keeps it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .files import replacing

NAMED = 100  # broken clips named in a report; all are counted


@dataclass
class EpochReport:
    """One epoch: means over its clips."""

    epoch: int  # from 1
    clips: int = 0
    loss: float = 0.0
    cross_entropy: float = 0.0
    frames: float = 0.0  # distillation of the frames, before its weight
    texts: float = 0.0  # distillation of the class texts, before its weight
    accuracy: float = 0.0  # top-1 on the training clips as they were seen
    lr: float = 0.0  # at the epoch's last step
    seconds: float = 0.0
    broken: int = 0
    broken_clips: list[str] = field(default_factory=list)


class Log:
    """log.jsonl: a line for each epoch of the run, with `val` where accuracy on other clips was measured."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, reports: list[EpochReport]) -> None:
        """Makes the file tell of these epochs and of no others.

        A line that tells of one of them already is kept for its `val`, which the state of a run does not have.
        """
        there = list(self._lines())
        with replacing(self.path) as part:
            part.write_text("".join(as_line(known(asdict(r), there)) for r in reports))

    def add(self, report: EpochReport, val: dict | None) -> None:
        with open(self.path, "a") as f:
            f.write(as_line(asdict(report) | ({"val": val} if val else {})))

    def _lines(self) -> Iterator[dict]:
        """What can be read of the file."""
        text = self.path.read_text(errors="replace") if self.path.exists() else ""
        for line in text.splitlines():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value


def as_line(value: dict) -> str:
    return json.dumps(value) + "\n"


def known(report: dict, lines: list[dict]) -> dict:
    """The line among these that tells of the report, or the report."""
    return next((line for line in lines if line | {"val": 0} == report | {"val": 0}), report)
