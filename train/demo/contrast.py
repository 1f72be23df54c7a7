"""How well `contrast` tells events from everything else: python -m demo.contrast FOLDER CHECKPOINT FILMS.

FOLDER gets what is rendered from seeds that no training had: clips of all actions (`test`), the same in places that no training had
(`places`), and everyday background. CHECKPOINT is frost-mini.pth, FILMS the folder of the demo's films with labels.json.
A film's window is positive if it holds all of an event or half of it is the event, and negative if it does not touch one.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo import dataset
from demo.dataset import Split
from demo.references import CLOSER_THAN, SENTENCES, References, auroc, log_sum, references, share
from demo.rules import EVENTS, SPAN, VOCABULARY, windows
from demo.words import TASKS
from froster import checkpoint
from froster.evaluate import classifier
from froster.model import Froster
from froster.pixels import normalise, resize_and_crop
from froster.tokenizer import Tokenizer

TASK = TASKS["small"]
BACKGROUND = ("walk", "stand", "sit", "box", "empty")
SPLITS = {"test": (tuple(TASK.all), 60), "places": (tuple(TASK.all), 30), "background": (BACKGROUND, 500)}
HOUR = 3600 / (4 * 127 / 7 / 30)  # windows of a camera in an hour, at the default stride
SYNONYMS = ("person collapsed", "someone falls over", "a man climbing a fence", "a fist fight", "going up a ladder")
UNRELATED = tuple(SENTENCES.with_name("kinetics400.txt").read_text().split("\n")[:400:8])
RAISE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Part:
    """Clips by their frames' embeddings [n, 8, dim]; positive and negative [n] by action."""

    frames: np.ndarray
    positive: dict[str, np.ndarray]
    negative: dict[str, np.ndarray]

    @property
    def clips(self) -> np.ndarray:
        return as_recorded(self.frames.mean(1))


def as_recorded(embeddings: np.ndarray) -> np.ndarray:
    """What a recording holds of embeddings: float16."""
    return embeddings.astype(np.float16).astype(np.float32)


@torch.inference_mode()
def embed(model: Froster, clips: Iterator[np.ndarray], batch: int = 32) -> np.ndarray:
    """Frame embeddings [n, 8, dim] of clips uint8 (8, h, w, 3)."""
    out, waiting = [], []
    for clip in clips:
        waiting.append(resize_and_crop(torch.from_numpy(clip), model.dims.image_size))
        if len(waiting) == batch:
            out.append(model.frame_embeddings(normalise(torch.stack(waiting))))
            waiting = []
    if waiting:
        out.append(model.frame_embeddings(normalise(torch.stack(waiting))))
    return torch.cat(out).numpy()


def rendered(model: Froster, folder: Path, name: str) -> Part:
    actions, count = SPLITS[name]
    dataset.render(folder / name, "test" if name == "background" else name, actions, count)
    split = Split(folder / name)
    frames, shown = embed(model, (split.frames(i) for i in range(len(split)))), np.array([f["action"] for f in split.facts])
    return Part(frames, {a: shown == a for a in actions}, {a: shown != a for a in TASK.all})


def filmed(model: Froster, films: Path) -> Part:
    """The product's windows of the films, begun at several frames."""
    staged, frames, where = json.loads((films / "labels.json").read_text()), [], []
    for name in staged:
        found = list(windows(films / name, model.dims.image_size))
        frames.append(embed(model, (clip.numpy() for _, _, clip in found)))
        where += [(name, start) for _, start, _ in found]
    holds, avoids = {}, {}
    for action in {x["action"] for f in staged.values() for x in f["labels"]}:
        spans = [[(x["start_s"], x["end_s"]) for x in staged[n]["labels"] if x["action"] == action] for n, _ in where]
        seen = [(span, at) for span, (_, at) in zip(spans, where, strict=True)]
        holds[action] = np.array([any(held(*s, at) for s in span) for span, at in seen])
        avoids[action] = np.array([all(end <= at or begin >= at + SPAN for begin, end in span) for span, at in seen])
    return Part(np.concatenate(frames), holds, avoids)


def held(begin: float, end: float, at: float) -> bool:
    """Whether the window at `at` holds all of an event, or half of the window is the event."""
    return min(end, at + SPAN) - max(begin, at) >= min(end - begin, SPAN / 2) - 1e-6


class Measures:
    """Logits of a label by several measures; vectors of texts are worked out once."""

    def __init__(self, model: Froster) -> None:
        self._model, self._tokenizer, self._known = model, Tokenizer(), {}
        self.scale = float(model.logit_scale.detach().exp())
        self.base = self.of([w.text for w in TASK.base.values()])
        self.sentences = self.of(SENTENCES.read_text().splitlines())

    def of(self, texts: list[str]) -> np.ndarray:
        for text in texts:
            if text not in self._known:
                self._known[text] = classifier(self._model, self._tokenizer, [text])[0].detach().numpy()
        return np.stack([self._known[t] for t in texts])

    def references(self, sentences: int, closer_than: float = CLOSER_THAN, seed: int = 0) -> References:
        """The base classes and so many of the sentences, drawn by seed."""
        drawn = np.random.default_rng(seed).permutation(len(self.sentences))[:sentences]
        return references(np.concatenate([self.base, self.sentences[drawn]]), closer_than)

    def softmax(self, part: Part, action: str, text: str, more: tuple[str, ...] = ()) -> np.ndarray:
        """FROSTER's: among the demo's labels and more, the label being one of them."""
        others = [TASK.all[a].text for a in VOCABULARY if a != action] + [m for m in more if m != text]
        return self.scale * part.clips @ self.of([text])[0] - log_sum(self.scale * part.clips @ self.of(others).T)

    def similarity(self, part: Part, text: str) -> np.ndarray:
        return self.scale * part.clips @ self.of([text])[0]

    def contrast(self, part: Part, text: str, against: References) -> np.ndarray:
        return against.logits(part.clips, self.of([text]), self.scale)


def columns(m: Measures) -> dict:
    """Every measure that is compared, as (part, action, text) to logits."""
    crowd = UNRELATED + SYNONYMS
    out = {"softmax": m.softmax, "softmax, crowded": lambda p, a, t: m.softmax(p, a, t, crowd),
           "similarity": lambda p, a, t: m.similarity(p, t)}
    against = {f"contrast, {n} sentences": m.references(n) for n in (0, 100, len(m.sentences))}
    against["contrast, nothing left out"] = m.references(len(m.sentences), 1.0)
    return out | {name: lambda p, a, t, r=r: m.contrast(p, t, r) for name, r in against.items()}


def separation(m: Measures, parts: dict[str, Part]) -> None:
    """AUROC of each label by each measure, by its own text and, in the mean, by wordings that no training had."""
    measures = columns(m)
    print("AUROC".ljust(34), *(f"{n:>16.16}" for n in [n.replace("contrast, ", "c: ") for n in measures]))
    for where, part in parts.items():
        rows = {}
        for action, words in TASK.all.items():
            if not part.positive.get(action, np.zeros(1)).any():
                continue
            y, n = part.positive[action], part.negative[action]
            for i, text in enumerate((words.text, *words.unseen)):
                logits = [f(part, action, text) for f in measures.values()]
                rows[action, i] = [auroc(x[y], x[n]) for x in logits]
        means = {"mean": lambda a, i: i == 0, "mean, unseen wordings": lambda a, i: i > 0,
                 "mean of four": lambda a, i: i == 0 and a in EVENTS, "mean of four, unseen": lambda a, i: i > 0 and a in EVENTS}
        table = {TASK.all[a].text: r for (a, i), r in rows.items() if i == 0}
        table |= {name: np.mean([r for key, r in rows.items() if of(*key)], 0) for name, of in means.items()}
        for name, row in table.items():
            print(f"{where:7} {name:26}", *(f"{x:16.3f}" for x in row), flush=True)


def sinking(m: Measures, part: Part) -> None:
    """What becomes of the score's threshold of 0.5 when labels are added; the contrast stays as it is."""
    added = {"the demo's labels": (), "and 50": UNRELATED, "and 5 synonyms": SYNONYMS, "and both": UNRELATED + SYNONYMS}
    for name, more in added.items():
        found = [(share(m.softmax(part, a, TASK.all[a].text, more))[part.positive[a]] >= 0.5).mean() for a in EVENTS]
        print(f"score 0.5, {name}; found:", ", ".join(f"{a} {100 * f:3.0f}%" for a, f in zip(EVENTS, found, strict=True)))


def defaults(m: Measures, parts: dict[str, Part]) -> None:
    """What thresholds on the contrast give: events that are found, and false windows in an hour of everyday background."""
    against = m.references(len(m.sentences))
    of = lambda part, action: share(m.contrast(parts[part], TASK.all[action].text, against))  # noqa: E731
    quiet = np.stack([of("background", a) for a in EVENTS])
    print(f"background: {quiet.shape[1] / HOUR:.1f} hours of one camera, {len(EVENTS)} labels")
    for threshold in RAISE:
        found = [f"{p} {a} {100 * (of(p, a)[parts[p].positive[a]] >= threshold).mean():3.0f}%" for p in ("test", "places", "films")
                 for a in EVENTS]
        print(f"{threshold:4} false windows an hour and label {HOUR * (quiet >= threshold).mean():6.2f}; found:", ", ".join(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "checkpoint", "films"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    model = checkpoint.load_model(args.checkpoint)
    parts = {name: rendered(model, args.folder, name) for name in SPLITS} | {"films": filmed(model, args.films)}
    measures = Measures(model)
    separation(measures, {name: part for name, part in parts.items() if name != "background"})
    sinking(measures, parts["test"])
    defaults(measures, parts)


if __name__ == "__main__":
    main()
