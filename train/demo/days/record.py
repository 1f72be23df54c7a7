"""Records the simulated cameras: python -m demo.days.record FOLDER --model frost-mini.pth --hours 6.

Each finished hour of a camera is a file, FOLDER/CAMERA/hour-000.npz, and so are its clips of staged events, events.npz; what is
there is not made again. A process of its own renders while this one embeds, because Mesa and PyTorch do not bear each other.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo.days.sites import SITES
from froster import checkpoint
from froster.files import replacing
from froster.model import Froster
from froster.pixels import normalise

BATCH = 4  # more at a time takes longer: what is computed on the way must fit into a cache
CLIPS = 10  # staged events of each kind for each camera


@dataclass(frozen=True)
class Job:
    """An hour of a camera, or with hour -1 its clips of events."""

    folder: Path
    site: int
    hour: int

    @property
    def file(self) -> Path:
        name = "events" if self.hour < 0 else f"hour-{self.hour:03d}"
        return self.folder / SITES[self.site].name / f"{name}.npz"

    @property
    def frames(self) -> Path:
        """Where the renderer leaves its frames until they are embedded."""
        return self.file.with_suffix(".frames.npy")


def render(job: Job) -> tuple[dict, float]:
    """Leaves the frames of a job; returns what is known without the model, and the seconds that it took."""
    os.environ["LP_NUM_THREADS"] = "0"  # Mesa draws in this thread
    from demo.days.film import film_events, film_hour  # noqa: PLC0415 - after the environment is set

    began = time.monotonic()
    frames, facts = film_events(job.site, CLIPS) if job.hour < 0 else film_hour(job.site, job.hour)
    job.file.parent.mkdir(parents=True, exist_ok=True)
    np.save(job.frames, frames)
    return facts, time.monotonic() - began


@torch.inference_mode()
def embed(model: Froster, frames: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
    """Embeddings of windows (m, 8) of frames: of the whole window and of its first and last three frames, float16 (m, dim).

    In bfloat16, half the time of float32: it moves the logit of a contrast by up to 0.03, where those of a camera span 10.
    """
    whole, first, last = [], [], []
    for rows in np.array_split(windows, max(1, -(-len(windows) // BATCH))):
        with torch.autocast("cpu", torch.bfloat16):
            e = model.frame_embeddings(normalise(torch.from_numpy(frames[rows]))).numpy()
        for out, part in ((whole, e), (first, e[:, :3]), (last, e[:, -3:])):
            out.append(part.mean(1).astype(np.float16))
    return {"embedding": np.concatenate(whole), "first3": np.concatenate(first), "last3": np.concatenate(last)}


def finish(model: Froster, job: Job, facts: dict) -> float:
    """Embeds what was rendered and writes the job's file. Returns the seconds that embedding took."""
    began = time.monotonic()
    made, of = embed(model, np.load(job.frames, mmap_mode="r"), facts.pop("windows")), facts.pop("of")
    text = json.dumps(facts.pop("facts"))
    with replacing(job.file) as part, part.open("wb") as f:
        np.savez(f, **{k: v[of] for k, v in made.items()}, **facts, facts=np.array(text))
    job.frames.unlink()
    return time.monotonic() - began


def jobs(folder: Path, hours: int, sites: list[int]) -> Iterator[Job]:
    """Hour by hour, so that all cameras have as many; the events come after the second hour."""
    order = [0, 1, -1, *range(2, hours)] if hours > 2 else [*range(hours), -1]
    for hour in order:
        for site in sites:
            job = Job(folder, site, hour)
            if not job.file.exists():
                yield job


def record(model: Froster, pool: ProcessPoolExecutor, todo: Iterator[Job]) -> None:
    """Embeds each job while the next one is rendered. BrokenProcessPool says that the renderer was killed."""
    waiting: tuple[Job, Future] | None = None
    while True:
        job = next(todo, None)
        started = None if job is None else (job, pool.submit(render, job))
        if waiting:
            before, result = waiting
            facts, rendering = result.result()
            windows, embedded = len(facts["of"]), len(facts["windows"])
            embedding = finish(model, before, facts)
            print(f"{time.strftime('%H:%M:%S')} {before.file.parent.name} {before.file.stem}: {windows} windows, {embedded} "
                  f"embedded; rendered in {rendering:.0f} s, embedded in {embedding:.0f} s", flush=True)
        waiting = started
        if waiting is None:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint, as cmd/frostwatch/demo/data/frost-mini.pth")
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--site", type=int, nargs="+", default=list(range(len(SITES))))
    args = parser.parse_args()
    torch.set_num_threads(1)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        record(checkpoint.load_model(args.model), pool, jobs(args.folder, args.hours, args.site))


if __name__ == "__main__":
    main()
