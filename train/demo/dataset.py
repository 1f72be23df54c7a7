"""Rendered splits on disk: python -m demo.dataset FOLDER --task small --split train --per-class 500.

A split is a folder of parts: frames uint8 (clips, 8, SIZE, SIZE, 3), joints float16 (clips, 8, 2, 19, 2) in pixels, and a line of
JSON for each clip. Everything follows from the split's name, the action and the number of the clip; splits share no seed.
"""

import argparse
import json
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.words import TASKS

SIZE = 128
SPLITS = {"train": 1, "val": 2, "test": 3, "places": 4, "films": 5, "beside": 6}  # first number of every seed


@dataclass(frozen=True)
class Job:
    """A part of a split: every `workers`th clip."""

    folder: Path
    split: str
    actions: tuple[str, ...]
    per_class: int
    worker: int
    workers: int
    rate: float = 30.0


def clip_rng(split: str, action: str, index: int) -> np.random.Generator:
    """The generator that a clip is drawn from. An action's number is fixed by its name, whatever the task."""
    names = sorted(TASKS["large"].all)
    return np.random.default_rng([SPLITS[split], names.index(action), index])


def render(folder: Path, split: str, actions: tuple[str, ...], per_class: int, *, workers: int = 2, rate: float = 30.0) -> None:
    """Writes a split, or leaves it alone where it is complete. A part is written anew unless it was finished.

    rate is that of the camera: with 10 frames a second, a clip has the frames that were on display at FROSTER's times.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [Job(folder, split, actions, per_class, i, workers, rate) for i in range(workers)]
    todo = [j for j in jobs if not _done(j)]
    # Processes of their own, because Mesa and PyTorch each bring an LLVM and do not bear each other.
    with multiprocessing.get_context("spawn").Pool(max(1, len(todo))) as pool:
        pool.map(_render_part, todo)


def _name(job: Job) -> str:
    return f"{job.worker}of{job.workers}"


def _done(job: Job) -> bool:
    file = job.folder / f"{_name(job)}.jsonl"
    return file.exists() and len(file.read_text().splitlines()) == len(_clips(job))


def _clips(job: Job) -> list[tuple[str, int]]:
    """(action, number) of every clip of the part; actions take turns, so that a part cut short is still even."""
    return [(a, i) for i in range(job.per_class) for a in job.actions][job.worker :: job.workers]


def _render_part(job: Job) -> None:
    os.environ["LP_NUM_THREADS"] = "0"  # Mesa draws in this thread; the processes share the cores
    from demo.render import Renderer  # noqa: PLC0415 - after the environment is set
    from demo.scene import HELD_OUT, SEEN, TIMES, draw, joints, sample_scene  # noqa: PLC0415

    clips, renderer = _clips(job), Renderer(SIZE, SIZE, samples=0)
    shape, name = (len(clips), 8), job.folder / _name(job)
    frames = np.lib.format.open_memmap(f"{name}.frames.npy", "w+", np.uint8, (*shape, SIZE, SIZE, 3))
    where = np.lib.format.open_memmap(f"{name}.joints.npy", "w+", np.float16, (*shape, 2, 19, 2))
    times = np.floor(TIMES * job.rate + 1e-6) / job.rate
    lines = []
    for i, (action, number) in enumerate(clips):
        rng = clip_rng(job.split, action, number)
        scene = sample_scene(rng, action, times, HELD_OUT if job.split == "places" else SEEN, job.split == "beside")
        frames[i], where[i] = draw(renderer, scene, rng), joints(scene, SIZE)
        lines.append(json.dumps({"action": action, "number": number, "shows": list(scene.shows), "place": scene.look.place,
                                 "light": scene.look.light}))
    renderer.release()
    frames.flush()
    where.flush()
    Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n")


class Split:
    """A rendered split, or several as one, mapped from disk."""

    def __init__(self, *folders: Path, actions: tuple[str, ...] | None = None) -> None:
        files = [p for folder in folders for p in sorted(folder.glob("*.jsonl"))]
        if not files:
            raise ValueError(f"{folders}: no rendered clips; run python -m demo.dataset first")
        self._frames = [np.load(f.with_suffix(".frames.npy"), mmap_mode="r") for f in files]
        self._joints = [np.load(f.with_suffix(".joints.npy"), mmap_mode="r") for f in files]
        facts = [[json.loads(line) for line in f.read_text().splitlines()] for f in files]
        self.at = [(p, i) for p, lines in enumerate(facts) for i, f in enumerate(lines) if not actions or f["action"] in actions]
        self.facts = [facts[p][i] for p, i in self.at]

    def __len__(self) -> int:
        return len(self.at)

    def frames(self, index: int) -> np.ndarray:
        """uint8 (8, SIZE, SIZE, 3), a copy."""
        part, i = self.at[index]
        return np.array(self._frames[part][i])

    def joints(self, index: int) -> np.ndarray:
        """float16 (8, 2, 19, 2) in pixels of the stored frames."""
        part, i = self.at[index]
        return self._joints[part][i]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--per-class", type=int, required=True)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    render(args.folder, args.split, tuple(TASKS[args.task].all), args.per_class, workers=args.workers)


if __name__ == "__main__":
    main()
