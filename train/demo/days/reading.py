"""Loads what demo.days.record wrote; numpy alone."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

SPAN = 128 / 30  # seconds of a window


@dataclass(frozen=True)
class Windows:
    """The windows of a camera in order. All arrays are (n, ...).

    hour: number of the hour, or of the clip of an event; start: seconds from the hour's start, or from the beginning of the
    event's happening; embedding, first3, last3: float16 (n, dim); reused: nobody was there, and the embedding stands for other
    windows too; truth (n,): the staged event that the window overlaps, or nothing; act: all that happened in it, by commas.
    """

    hour: np.ndarray
    start: np.ndarray
    embedding: np.ndarray
    first3: np.ndarray
    last3: np.ndarray
    reused: np.ndarray
    truth: np.ndarray
    act: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def where(self, kept: np.ndarray) -> "Windows":
        return Windows(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})


def cameras(folder: Path, what: str = "hour-*") -> list[str]:
    """The cameras of which there is at least one hour, or with `events` those whose events are recorded, by name."""
    return sorted({file.parent.name for file in folder.glob(f"*/{what}.npz")})


def hours(folder: Path, camera: str) -> Windows:
    """All recorded hours of a camera, one after the other."""
    files = sorted((folder / camera).glob("hour-*.npz"))
    if not files:
        raise ValueError(f"{folder / camera}: no recorded hour; run python -m demo.days.record first")
    return _joined([_hour(file, int(file.stem.removeprefix("hour-"))) for file in files])


def events(folder: Path, camera: str) -> Windows:
    """The clips of staged events of a camera."""
    with np.load(folder / camera / "events.npz") as file:
        clip, start = file["clip"], file["start"]
        staged = json.loads(str(file["facts"]))["happenings"]
        parts = [_named(start[clip == i], [s]) for i, s in enumerate(staged)]
        truth, act = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
        return Windows(clip, start, file["embedding"], file["first3"], file["last3"], np.zeros(len(start), bool), truth, act)


def _hour(path: Path, number: int) -> Windows:
    with np.load(path) as file:
        start = file["start"]
        truth, act = _named(start, json.loads(str(file["facts"]))["happenings"])
        vectors = file["embedding"], file["first3"], file["last3"]
        return Windows(np.full(len(start), number), start, *vectors, file["reused"], truth, act)


def _named(start: np.ndarray, happenings: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """For each window the staged event, and all that happens within it."""
    truth, act = np.full(len(start), "", dtype=object), np.full(len(start), "", dtype=object)
    for h in happenings:
        within = (start < h["end"]) & (start + SPAN > h["start"])
        act[within] = [f"{a},{h['act']}".lstrip(",") for a in act[within]]
        if h["truth"]:
            truth[(start < h["truth"][1]) & (start + SPAN > h["truth"][0])] = h["act"]
    return truth, act


def _joined(parts: list[Windows]) -> Windows:
    return Windows(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Windows)})
