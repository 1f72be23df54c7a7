"""What other cameras, light and words do to a demo model: python -m demo.robust FOLDER, after demo.make made FOLDER.

Each line is the accuracy among all classes on the test clips, changed in one way, and its share of the unchanged figure.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from demo import dataset
from demo.clips import Clips
from demo.dataset import Split
from demo.make import Paths, load
from demo.measure import texts_of
from demo.render.grade import Grade, grade
from demo.words import TASKS, Task
from froster.evaluate import classifier, embed_clips, top1
from froster.model import Froster
from froster.tokenizer import Tokenizer

NIGHT = np.array([0.45, 0.55, 0.75])  # gains of red, green and blue of a dark bluish picture
RATES = (10.0, 15.0, 25.0)  # at 60 a second the frames are those of 30
PER_CLASS = 30


class Changed:
    """Clips with their frames changed: uint8 (8, h, w, 3) to the same."""

    def __init__(self, clips: Clips, change: Callable[[np.ndarray], np.ndarray]) -> None:
        self._clips, self._change = clips, change

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        frames, label = self._clips[index]
        return self._change(frames), label


def jpeg(frames: np.ndarray) -> np.ndarray:
    """The frames once through JPEG of quality 60."""
    return grade(frames, np.random.default_rng(0), Grade(jpeg=60))


def night(frames: np.ndarray) -> np.ndarray:
    """The frames as on a dark night: dim, bluish and noisy."""
    noise = np.random.default_rng(0).normal(0, 6, frames.shape)
    return np.clip(frames * NIGHT + noise, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Line:
    """Top-1 among all classes, 0..1, and the same of the unchanged clips that it is to be compared with."""

    accuracy: float
    clean: float


def robustness(model: Froster, folder: Path, task: Task, tokenizer: Tokenizer) -> dict[str, Line]:
    """A line for each change; other rates are compared with the same clips at the usual one."""
    actions, classes = tuple(task.all), classifier(model, tokenizer, texts_of(task))
    test = Clips(Split(folder / "test"), actions)
    of = lambda clips: top1(*embed_clips(model, clips)[:2], classes)  # noqa: E731
    embeddings, labels, _ = embed_clips(model, test)
    clean, few = top1(embeddings, labels, classes), of(Clips(Split(folder / "test"), actions, PER_CLASS))
    unseen = [classifier(model, tokenizer, texts_of(task, i)) for i in range(3)]
    out = {f"unseen wordings {i + 1}": Line(top1(embeddings, labels, wordings), clean) for i, wordings in enumerate(unseen)}
    out |= {"JPEG 60": Line(of(Changed(test, jpeg)), clean), "night tint": Line(of(Changed(test, night)), clean)}
    for rate in RATES:
        at = folder / f"test{rate:.0f}"
        dataset.render(at, "test", actions, PER_CLASS, rate=rate)
        out[f"{rate:.0f} frames a second"] = Line(of(Clips(Split(at), actions)), few)
    return out | {"other places": Line(of(Clips(Split(folder / "places"), actions)), clean)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    args = parser.parse_args()
    with torch.inference_mode():
        got = robustness(load(Paths(args.folder).froster), args.folder, TASKS[args.task], Tokenizer())
    for name, line in got.items():
        print(f"{name:22} {100 * line.accuracy:5.1f}%  {100 * line.accuracy / line.clean:5.1f}% of {100 * line.clean:.1f}%")
    (args.folder / "robust.json").write_text(json.dumps({name: asdict(line) for name, line in got.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
