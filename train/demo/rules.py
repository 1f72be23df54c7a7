"""Which thresholds read the films right: python -m demo.rules FOLDER FILMS.

Each film is cut into the product's windows, begun at several frames. A rule that raises on one clip at a threshold is right where
each staged event of its action has a window that reaches it, and no window without the action does.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import torch

from demo.films import RATE
from demo.make import Paths, load
from demo.scene import TIMES
from demo.words import TASKS
from froster.evaluate import classifier
from froster.model import Froster
from froster.pixels import normalise, resize_and_crop
from froster.tokenizer import Tokenizer

STRIDE, SPAN = 64 / 30, 128 / 30  # seconds
STARTS = (0, 4, 8, 12, 16, 20, 24, 28)  # frames
EVENTS = ("fall", "fight", "fence", "ladder")
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# What the demo watches for, as cmd/frostwatch/demo has it.
VOCABULARY = ("fall", "fight", "fence", "ladder", "walk", "stand", "lie", "box", "empty")


def windows(file: Path, size: int) -> Iterator[tuple[int, float, torch.Tensor]]:
    """Where windows were begun (frames), their start in seconds, and their frames uint8 [8, size, size, 3]."""
    with av.open(str(file)) as container:
        frames = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
    small = resize_and_crop(torch.from_numpy(frames), size)
    for begin in STARTS:
        for k in range(int((len(frames) / RATE - begin / RATE - SPAN) / STRIDE) + 1):
            start = begin / RATE + k * STRIDE
            pick = np.floor((start + TIMES) * RATE + 1e-6).astype(int)
            yield begin, start, small[torch.from_numpy(pick)]


@torch.inference_mode()
def read(model: Froster, films: Path) -> list[dict]:
    """A row for each window: film, begin, start, the scores by action, and the actions staged within it with their spans."""
    texts = [TASKS["small"].all[a].text for a in VOCABULARY]
    classes = classifier(model, Tokenizer(), texts)
    staged, rows = json.loads((films / "labels.json").read_text()), []
    for name, facts in staged.items():
        for begin, start, clip in windows(films / name, model.dims.image_size):
            logits = model.logit_scale.exp() * model.clip_embeddings(normalise(clip[None])) @ classes.T
            scores = dict(zip(VOCABULARY, logits.softmax(-1)[0].tolist(), strict=True))
            within = [(s["action"], s["start_s"]) for s in facts["labels"] if s["start_s"] < start + SPAN and s["end_s"] > start]
            rows.append({"film": name, "begin": begin, "start": start, "scores": scores, "within": within})
    return rows


def judge(rows: list[dict], action: str, threshold: float) -> tuple[int, int, int]:
    """Staged events that some window caught, all of them, and windows that raise where nothing is staged; over all starts."""
    events = {(r["film"], r["begin"], s) for r in rows for a, s in r["within"] if a == action}
    raised = [r for r in rows if r["scores"][action] >= threshold]
    caught = {(r["film"], r["begin"], s) for r in raised for a, s in r["within"] if a == action}
    return len(caught), len(events), sum(all(a != action for a, _ in r["within"]) for r in raised)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("films", type=Path)
    args = parser.parse_args()
    rows = read(load(Paths(args.folder).froster), args.films)
    for action in EVENTS:
        cells = [f"{t:.1f}: {c}/{n} caught, {f} false" for t in THRESHOLDS for c, n, f in [judge(rows, action, t)]]
        print(f"{action:7}", "  ".join(cells))
    right = [max(r["scores"], key=r["scores"].get) in {a for a, _ in r["within"]} for r in rows]
    print(f"best label is staged within the window: {100 * np.mean(right):.1f}% of {len(rows)} windows")
    for film in sorted({r["film"] for r in rows}):
        best = [max(r["scores"], key=r["scores"].get) for r in rows if r["film"] == film and r["begin"] == 0]
        print(f"{film:24}", " ".join(best))


if __name__ == "__main__":
    main()
