"""What a demo model is worth: top-1 on clips that were rendered from seeds that training never had."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from demo.clips import Clips
from demo.dataset import Split
from demo.words import Task
from froster.evaluate import classifier, embed_clips, harmonic_mean
from froster.model import Froster
from froster.tokenizer import Tokenizer


@dataclass(frozen=True)
class Embedded:
    """Clips of all classes of a task, embedded: embeddings [n, dim], labels [n] by the task's order, base classes first."""

    embeddings: Tensor
    labels: Tensor


def embed(model: Froster, split: Split, task: Task, temporal: bool = True) -> Embedded:
    embeddings, labels, _ = embed_clips(model, Clips(split, tuple(task.all)), temporal=temporal)
    return Embedded(embeddings, labels)


def texts_of(task: Task, unseen: int | None = None) -> list[str]:
    """Class texts in the task's order, or the unseen wording of that number of each."""
    return [w.text if unseen is None else w.unseen[unseen] for w in task.all.values()]


def scores(embedded: Embedded, classes: Tensor, base: int) -> dict[str, float]:
    """Shares of 1: base among base and novel among novel classes as the paper has it, their harmonic mean, and all among all."""
    logits, y = embedded.embeddings @ classes.T, embedded.labels
    is_base = y < base
    right = (logits[is_base, :base].argmax(-1) == y[is_base]).float()
    novel = (logits[~is_base, base:].argmax(-1) + base == y[~is_base]).float()
    among_all = (logits.argmax(-1) == y).float()
    out = {"base": float(right.mean()), "novel": float(novel.mean()), "all": float(among_all.mean()),
           "novel_among_all": float(among_all[~is_base].mean())}
    return out | {"harmonic": harmonic_mean(out["base"], out["novel"])}


def per_class(embedded: Embedded, classes: Tensor, task: Task) -> dict[str, dict[str, float]]:
    """For each action its share that is right among all classes, and what the others were taken for."""
    names, taken = list(task.all), (embedded.embeddings @ classes.T).argmax(-1)
    out = {}
    for i, name in enumerate(names):
        counts = torch.bincount(taken[embedded.labels == i], minlength=len(names)).float()
        share = counts / counts.sum().clamp(min=1)
        out[name] = {names[j]: round(float(share[j]), 3) for j in share.argsort(descending=True) if share[j] >= 0.02}
    return out


def measure(model: Froster, split: Split, task: Task, tokenizer: Tokenizer, temporal: bool = True) -> dict:
    """Scores by class texts, the mean of them by the three sets of unseen wordings, and the confusion."""
    embedded, base = embed(model, split, task, temporal), len(task.base)
    texts = classifier(model, tokenizer, texts_of(task))
    unseen = [scores(embedded, classifier(model, tokenizer, texts_of(task, i)), base) for i in range(3)]
    mean = {k: float(np.mean([u[k] for u in unseen])) for k in unseen[0]}
    return {"class_texts": scores(embedded, texts, base), "unseen_wordings": mean, "taken_for": per_class(embedded, texts, task)}
