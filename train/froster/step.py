"""One step of the recipe: what is computed from a batch, and where its gradients go."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .config import TrainConfig
from .losses import distillation, soft_cross_entropy, soft_targets
from .model import Froster
from .pixels import normalise
from .projector import Projector
from .texts import FrozenTexts, TextBank, join_prompts

TEXT_TOWER = ("transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection")


@dataclass
class StepLosses:
    """Means over the batch, detached, on the training device; hits is the number of clips that were right."""

    total: Tensor
    cross_entropy: Tensor
    frames: Tensor  # distillation of the frames
    texts: Tensor  # distillation of the class texts
    hits: Tensor


class Recipe:
    """Student, teacher and projectors, and how they are compared.

    The teacher sees frames one by one, as CLIP does; the student with temporal attention.
    """

    def __init__(self, config: TrainConfig, student: Froster, teacher: Froster | None, bank: TextBank,
                 device: torch.device) -> None:
        if config.distil and teacher is None:
            raise ValueError("distil is true, but there is no teacher")
        self.config, self.bank, self.device = config, bank, device
        self.student = student.to(device).train()
        self.teacher = teacher.to(device).eval().requires_grad_(False) if config.distil else None
        self.projectors = make_projectors(student.dims.embed_dim, config).to(device)
        freeze(student, config)
        self.train_text = any(p.requires_grad for n, p in student.named_parameters() if n.startswith(TEXT_TOWER))
        self.student_texts = FrozenTexts(bank, lambda ids: self._encode_text(self.student, ids))
        self.teacher_texts = FrozenTexts(bank, lambda ids: self._encode_text(self.teacher, ids))
        self.embed = torch.compile(Froster.frame_embeddings) if config.compile else Froster.frame_embeddings

    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by its name in the checkpoint."""
        named = {f"model.{n}": p for n, p in self.student.named_parameters()}
        if self.config.distil:
            named |= dict(self.projectors.named_parameters())
        return {n: p for n, p in named.items() if p.requires_grad}

    def backward(self, frames: Tensor, labels: Tensor, rng: np.random.Generator) -> StepLosses:
        """Adds the gradients of one batch: frames uint8 [b, T, size, size, 3], labels int64 [b].

        The batch goes through in parts of config.micro_batch. Class vectors are computed once for all of them: the parts'
        gradients meet in a copy that is cut off, and go on through the text tower at the end.
        """
        template, pick = self.bank.draw(rng)
        classes = self._student_classes(template, pick)
        cut = classes.detach().requires_grad_(classes.requires_grad)
        texts = self._text_loss(cut, template, pick)
        if texts.requires_grad:
            (self.config.distil_weight * texts).backward()
        size = self.config.micro_batch or len(frames)
        parts = [self._part(f, y, cut, len(frames)) for f, y in zip(frames.split(size), labels.split(size), strict=True)]
        if cut.grad is not None:
            classes.backward(cut.grad)
        ce, seen, hits = torch.stack(parts).sum(0)
        texts = texts.detach()
        return StepLosses(ce + self.config.distil_weight * (seen + texts), ce, seen, texts, hits)

    def _part(self, frames: Tensor, labels: Tensor, classes: Tensor, batch: int) -> Tensor:
        """Gradients of a part of a batch; cross-entropy and distillation weighted by its share, and its hits, [3]."""
        pixels = normalise(frames.to(self.device, non_blocking=True))
        labels = labels.to(self.device, non_blocking=True)
        with self._autocast():
            e = self.embed(self.student, pixels)
        logits = self.student.logit_scale.exp() * e.mean(1) @ classes.T
        ce = soft_cross_entropy(logits, soft_targets(labels, len(self.bank), self.config.label_smoothing))
        seen = self._frame_loss(e, pixels)
        share = len(frames) / batch
        ((ce + self.config.distil_weight * seen) * share).backward()
        hits = (logits.argmax(-1) == labels).sum().float()
        return torch.stack([ce.detach() * share, seen.detach() * share, hits])

    def _frame_loss(self, embeddings: Tensor, pixels: Tensor) -> Tensor:
        if not self.config.distil:
            return embeddings.new_zeros(())
        with torch.no_grad(), self._autocast():
            want = self.embed(self.teacher, pixels, temporal=False)
        return distillation(self.projectors["projector_v"](embeddings), want)

    def _text_loss(self, classes: Tensor, template: int, pick: Tensor) -> Tensor:
        """Zero where the text tower stays as it is: no gradient would reach it."""
        if not (self.config.distil and self.train_text):
            return classes.new_zeros(())
        return distillation(self.projectors["projector_t"](classes), self.teacher_texts.classes(template, pick))

    def _student_classes(self, template: int, pick: Tensor) -> Tensor:
        if not self.train_text:
            return self.student_texts.classes(template, pick)
        features = self._encode_text(self.student, self.bank.step_ids(template, pick))
        return join_prompts(*features.chunk(2))

    def _encode_text(self, model: Froster, ids: Tensor) -> Tensor:
        with self._autocast():
            return model.encode_text(ids.to(self.device, non_blocking=True))

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16)


def make_projectors(dim: int, config: TrainConfig) -> nn.ModuleDict:
    """The two projectors under their names in the checkpoint, the same for a seed."""
    generator = torch.Generator().manual_seed(config.seed)
    return nn.ModuleDict({name: Projector(dim, generator, config.alpha) for name in ("projector_v", "projector_t")})


def freeze(student: Froster, config: TrainConfig) -> None:
    """Marks what is trained; a name in config.freeze that fits nothing is an error."""
    names = [n for n, _ in student.named_parameters()]
    for beginning in config.freeze:
        if not any(n.startswith(beginning) for n in names):
            raise ValueError(f"freeze: no parameter's name begins with {beginning!r}")
    frozen = config.freeze if config.train_text else (*config.freeze, *TEXT_TOWER)
    for name, p in student.named_parameters():
        p.requires_grad_(not name.startswith(frozen))
