"""A quick look at accuracy while training. `frostwatch eval` measures what will be served; this does not replace it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .batches import Augment, ClipSet, batches
from .model import Froster
from .pixels import normalise
from .prompts import prompts
from .report import NAMED
from .tokenizer import Tokenizer


class NoClips(ValueError):
    """Not one clip of a set can be read, so that there is no accuracy."""


@dataclass(frozen=True)
class Accuracy:
    """Top-1 shares, 0..1. novel and harmonic are None without novel classes."""

    base: float
    novel: float | None = None
    harmonic: float | None = None
    clips: int = 0
    broken: int = 0
    broken_clips: tuple[str, ...] = ()  # the first NAMED of them


@torch.no_grad()
def classifier(model: Froster, tokenizer: Tokenizer, class_texts: Sequence[str]) -> Tensor:
    """Unit class vectors [classes, dim]: 29 prompts each, every one unit, their mean, unit again."""
    device = model.logit_scale.device
    rows = []
    for text in class_texts:
        e = model.encode_text(tokenizer.batch(prompts(text)).to(device)).float()
        rows.append(F.normalize(F.normalize(e, dim=-1).mean(0), dim=-1))
    return torch.stack(rows)


@torch.no_grad()
def embed_clips(model: Froster, clips: ClipSet, *, temporal: bool = True, bfloat16: bool = False, batch_size: int = 32,
                workers: int = 0) -> tuple[Tensor, Tensor, list[str]]:
    """Clip embeddings [n, dim] and labels [n] of all clips that can be read, on the CPU, and a line for each that cannot.

    Always the same frames of a clip: a set's random choice is for training alone.
    """
    device, was_training = model.logit_scale.device, model.training
    model.eval()
    embeddings, labels, broken = [torch.empty(0, model.dims.embed_dim)], [torch.empty(0, dtype=torch.int64)], []
    order, augment = np.arange(len(clips)), Augment(model.dims.image_size)
    stream = batches(Still(clips), augment, order, batch_size, seed=0, epoch=0, workers=workers)
    for batch in stream:
        broken += batch.broken
        if len(batch.labels):
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                e = model.clip_embeddings(normalise(batch.frames.to(device)), temporal)
            embeddings.append(e.float().cpu())
            labels.append(batch.labels)
    model.train(was_training)
    return torch.cat(embeddings), torch.cat(labels), broken


def top1(embeddings: Tensor, labels: Tensor, classes: Tensor) -> float:
    """Share of clips [n, dim] whose nearest class vector [classes, dim] is their label's; 0 without clips."""
    if not len(labels):
        return 0.0
    return float((((embeddings @ classes.cpu().T).argmax(-1)) == labels).float().mean())


def harmonic_mean(base: float, novel: float) -> float:
    return 2 * base * novel / (base + novel) if base + novel else 0.0


def evaluate(model: Froster, tokenizer: Tokenizer, base: tuple[ClipSet, Sequence[str]],
             novel: tuple[ClipSet, Sequence[str]] | None = None, **how) -> Accuracy:
    """Top-1 of clips with their class texts, base and novel each among its own classes as the paper has it.

    `how` goes to embed_clips. Random clips and crops are not used: the middle of each video, the middle of each frame.
    Raises NoClips.
    """
    scores, clips, broken = [], 0, []
    for part in (base, novel):
        if part is None:
            continue
        embeddings, labels, bad = embed_clips(model, part[0], **how)
        if not len(labels):
            raise NoClips(f"measure accuracy: none of {len(part[0])} clips can be read: {'; '.join(bad[:5])}")
        scores.append(top1(embeddings, labels, classifier(model, tokenizer, part[1])))
        clips, broken = clips + len(labels), broken + bad
    harmonic = harmonic_mean(*scores) if novel else None
    return Accuracy(scores[0], scores[1] if novel else None, harmonic, clips, len(broken), tuple(broken[:NAMED]))


class Still:
    """A set of clips without its random choice of time."""

    def __init__(self, clips: ClipSet) -> None:
        self._clips = clips

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return self._clips[index]
