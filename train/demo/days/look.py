"""A first look at the recorded cameras: python -m demo.days.look FOLDER --model frost-mini.pth --references FILE.

For each rule: how far its contrast reaches on each camera where nothing is staged, how well a threshold from the first hours keeps
its budget in those after them, and how many staged events it catches, beside one threshold for all cameras.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo.days import reading
from demo.days.reading import Windows
from demo.days.sites import EVENTS
from demo.days.tail import Past, fit
from demo.words import TASKS
from froster import checkpoint
from froster.evaluate import classifier
from froster.tokenizer import Tokenizer

CLOSER = 0.97  # share of the pairs of reference texts that one has to be closer than to a label to be left out, as in scoring
TAIL = 3  # times as many peaks are fitted as the budget allows


@dataclass(frozen=True)
class Words:
    """Unit vectors of the rules' labels (4, dim) and of the references (n, dim), the logits' scale, and the cosine of too close."""

    labels: np.ndarray
    references: np.ndarray
    scale: float
    close: float

    def logit(self, embedding: np.ndarray, rule: int) -> np.ndarray:
        """The logit of the contrast of a rule's label, (n,): its logit less that of all references that are not too close to it."""
        far = self.references[self.references @ self.labels[rule] < self.close]
        e = embedding.astype(np.float32)
        others = self.scale * e @ far.T
        top = others.max(1)
        return self.scale * e @ self.labels[rule] - top - np.log(np.exp(others - top[:, None]).sum(1))


def words_of(model_file: Path, references: Path) -> Words:
    model, task = checkpoint.load_model(model_file), TASKS["small"]
    sentences = [line for line in references.read_text().splitlines() if line.strip()]
    texts = [w.text for w in task.base.values()] + sentences
    with torch.inference_mode():
        scale = float(model.logit_scale.exp())
        labels = classifier(model, Tokenizer(), [task.all[e].text for e in EVENTS]).numpy()
        references = classifier(model, Tokenizer(), list(dict.fromkeys(texts))).numpy()
    pairs = (references @ references.T)[np.triu_indices(len(references), 1)]
    return Words(labels, references, scale, float(np.quantile(pairs, CLOSER)))


@dataclass(frozen=True)
class Camera:
    """Of one camera and rule: logits without staged events in the hours to learn from and in those to judge by, and events."""

    name: str
    learnt: Past
    judged: Past
    events: np.ndarray  # the highest of each staged event


def gather(folder: Path, names: list[str], words: Words, rule: int, hours: tuple[set, set]) -> list[Camera]:
    out = []
    for name in names:
        w = reading.hours(folder, name)
        logit = np.where(w.truth == EVENTS[rule], -np.inf, words.logit(w.embedding, rule))
        parts = [np.isin(w.hour, list(h)) for h in hours]
        learnt, judged = (Past.of(logit[p], w.hour[p]) for p in parts)
        out.append(Camera(name, learnt, judged, staged(folder, name, words, rule)))
    return out


def staged(folder: Path, name: str, words: Words, rule: int) -> np.ndarray:
    """The highest that each staged event of the rule's kind reaches, where there are clips of them."""
    if not (folder / name / "events.npz").exists():
        return np.empty(0)
    w: Windows = reading.events(folder, name)
    w = w.where(w.truth == EVENTS[rule])
    logit = words.logit(w.embedding, rule) if len(w) else np.empty(0)
    return np.array([logit[w.hour == c].max() for c in np.unique(w.hour)])


def ways(cameras: list[Camera], most: float) -> dict[str, list[float]]:
    """Thresholds of each camera by each way of setting them, where the hours to learn from may have `most` false alarms."""
    own = [c.learnt.threshold(most) for c in cameras]
    tail = [fit(c.learnt, TAIL * most).threshold(most) for c in cameras]
    one = together([c.learnt for c in cameras]).threshold(most * len(cameras))
    return {"counted": own, "tail": tail, "one for all": [one] * len(cameras)}


def together(parts: list[Past]) -> Past:
    """The pasts of several cameras as one."""
    hour = np.concatenate([1000 * i + p.hour for i, p in enumerate(parts)])
    return Past.of(np.concatenate([p.values for p in parts]), hour)


def report(rule: str, cameras: list[Camera], hours: tuple[set, set], budget: float) -> dict[str, list[int]]:
    expected, events = budget * len(hours[1]), np.concatenate([c.events for c in cameras])
    print(f"\n{rule}: {len(cameras)} cameras, {len(events)} staged events, {expected:.0f} false alarms expected each")
    ways_ = ways(cameras, budget * len(hours[0]))
    ways_["one, equal recall"] = equal_recall(cameras, ways_["counted"])
    out = {}
    for way, thresholds in ways_.items():
        got = [c.judged.count(t) for c, t in zip(cameras, thresholds, strict=True)]
        caught = np.concatenate([c.events >= t for c, t in zip(cameras, thresholds, strict=True)])
        kept, many = ([expected / 2 <= g <= 2 * expected for g in got], [g > 2 * expected for g in got])
        recall = 100 * caught.mean() if len(caught) else np.nan
        print(f"  {way:18} within half to twice: {100 * np.mean(kept):3.0f}%  above twice: {100 * np.mean(many):3.0f}%"
              f"  recall {recall:3.0f}%  {sum(got):4d} false, by camera {' '.join(map(str, got))}")
        out[way] = got
    return out


def equal_recall(cameras: list[Camera], own: list[float]) -> list[float]:
    """One threshold for all cameras that catches as many staged events as their own do."""
    events = -np.sort(-np.concatenate([c.events for c in cameras]))
    caught = sum(int((c.events >= t).sum()) for c, t in zip(cameras, own, strict=True))
    return [float(events[caught - 1]) if caught else np.inf] * len(cameras)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--references", type=Path, required=True, help="a sentence a line, as infer/froster/references.txt")
    parser.add_argument("--learn", type=int, default=4, help="hours to learn from")
    parser.add_argument("--judge", type=int, default=2, help="hours after them")
    parser.add_argument("--budget", type=float, default=4, help="false alarms an hour")
    args = parser.parse_args()
    words, names = words_of(args.model, args.references), reading.cameras(args.folder)
    hours = set(range(args.learn)), set(range(args.learn, args.learn + args.judge))
    names = [n for n in names if hours[0] | hours[1] <= set(reading.hours(args.folder, n).hour)]
    all_ = [report(e, gather(args.folder, names, words, i, hours), hours, args.budget) for i, e in enumerate(EVENTS)]
    expected = args.budget * len(hours[1])
    for way in all_[0]:
        got = np.concatenate([a[way] for a in all_])
        kept, many = ((got >= expected / 2) & (got <= 2 * expected)).mean(), (got > 2 * expected).mean()
        print(f"{way:18} {100 * kept:.0f}% of {len(got)} within half to twice their budget, {100 * many:.0f}% above")


if __name__ == "__main__":
    main()
