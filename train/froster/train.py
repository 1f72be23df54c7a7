"""The training engine: `fit` runs the recipe on any set of clips."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import run_state
from .batches import Augment, Batch, ClipSet, batches
from .config import TrainConfig
from .files import make_writable
from .model import Froster
from .pixels import normalise
from .prompts import RAW
from .report import NAMED, EpochReport
from .run_state import Progress, trained_state
from .schedule import learning_rate
from .step import Recipe, StepLosses
from .texts import ClassTexts, TextBank
from .tokenizer import Tokenizer

CHECK_EVERY = 50  # steps between looks at whether the loss is still a number: each look waits for a GPU
BEGIN_ANEW = "a lower lr or float32 may help, in another folder or with its state.pt deleted"


class Diverged(RuntimeError):
    """The loss, or the weights, are no numbers any more."""


class TooManyBroken(RuntimeError):
    """More clips cannot be read than the configuration allows."""


def fit(config: TrainConfig, student: Froster, teacher: Froster | None, train_set: ClipSet, class_texts: ClassTexts, *,
        tokenizer: Tokenizer | None = None, run_dir: Path | None = None,
        on_begin: Callable[[list[EpochReport]], None] | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None) -> dict[str, Tensor]:
    """Trains the student in place and returns the mean of its weights over the epochs from config.average_from on.

    The result has CLIP's names for the student, and beside them those of the projectors where there was distillation; it is
    float32 on the CPU, and `student_of` picks the student out of it. class_texts has one text for each class, or a list of
    wordings of which each step takes one. The teacher is not changed; it may be None without distillation. With run_dir the
    state is saved after each epoch, and a run that was stopped goes on from there and ends as if it had not been stopped.
    on_begin is told of the epochs that were done before, on_epoch of each one once its state is saved.
    """
    device = choose_device(config.device)
    recipe = Recipe(config, student, teacher, TextBank(class_texts, tokenizer or Tokenizer()), device)
    parameters = recipe.parameters()
    optimizer = make_optimizer(parameters, config)
    progress = Progress()
    if run_dir:
        make_writable(run_dir)
        run = run_state.identity(config, recipe, train_set)
        progress = run_state.load(run_dir / "state.pt", run, recipe, optimizer)
    if on_begin:
        on_begin(progress.reports)
    for epoch in range(len(progress.reports) + 1, config.epochs + 1):
        report = run_epoch(recipe, optimizer, list(parameters.values()), train_set, epoch)
        check_weights(recipe, epoch)
        progress.reports.append(report)
        if epoch >= config.average_from:
            progress.average.add(trained_state(recipe))
        if run_dir:
            run_state.save(run_dir / "state.pt", run, recipe, optimizer=optimizer, progress=progress)
        if on_epoch:
            on_epoch(report)
    return progress.average.mean()


def run_epoch(recipe: Recipe, optimizer: torch.optim.Optimizer, parameters: list[Tensor], clips: ClipSet,
              epoch: int) -> EpochReport:
    """One pass over the clips, in an order that seed and epoch decide; a last batch that is not full is left out."""
    config, began = recipe.config, time.monotonic()
    rng = np.random.default_rng([config.seed, epoch])
    steps = max(1, len(clips) // config.batch_size)
    order = rng.permutation(len(clips))[: steps * config.batch_size]
    augment = Augment(recipe.student.dims.image_size, config.jitter, config.flip)
    report, sums = EpochReport(epoch), torch.zeros(5, device=recipe.device)
    stream = batches(clips, augment, order, config.batch_size, seed=config.seed, epoch=epoch,
                     workers=config.workers, pin=recipe.device.type == "cuda")
    recipe.student.train()
    for step, batch in enumerate(stream):
        count_broken(report, batch, config.max_broken * len(order))
        if not len(batch.labels):
            continue
        report.lr = rate_at(config, epoch - 1 + step / steps)
        sums += len(batch.labels) * update(recipe, optimizer, parameters, batch, rng=rng, lr=report.lr)
        report.clips += len(batch.labels)
        if step % CHECK_EVERY == 0:
            check_finite(sums, epoch, step)
    check_finite(sums, epoch, steps)
    summarise(report, sums)
    report.seconds = time.monotonic() - began
    return report


def update(recipe: Recipe, optimizer: torch.optim.Optimizer, parameters: list[Tensor], batch: Batch, *,
           rng: np.random.Generator, lr: float) -> Tensor:
    """One step of the optimizer; returns total loss, its three parts and the share of right clips, [5]."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    losses = recipe.backward(batch.frames, batch.labels, rng)
    if recipe.config.clip_norm:
        torch.nn.utils.clip_grad_norm_(parameters, recipe.config.clip_norm)
    optimizer.step()
    return as_row(losses, len(batch.labels))


def as_row(losses: StepLosses, clips: int) -> Tensor:
    return torch.stack([losses.total, losses.cross_entropy, losses.frames, losses.texts, losses.hits / clips])


def make_optimizer(parameters: dict[str, Tensor], config: TrainConfig) -> torch.optim.AdamW:
    """AdamW without decay of vectors and biases, as SlowFast's ZERO_WD_1D_PARAM; the logit scale, a scalar, decays there too."""
    plain = [p for n, p in parameters.items() if p.ndim == 1 or n.endswith(".bias")]
    decayed = [p for n, p in parameters.items() if not (p.ndim == 1 or n.endswith(".bias"))]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=config.lr, betas=(0.9, 0.999), eps=1e-8, fused=True)


def rate_at(config: TrainConfig, epoch: float) -> float:
    return learning_rate(epoch, peak=config.lr, start=config.lr_start, end=config.lr_end,
                         warmup=config.warmup_epochs, epochs=config.epochs)


def student_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The student's weights among what fit returned."""
    return {k: v for k, v in state.items() if not k.startswith("projector_")}


def count_broken(report: EpochReport, batch: Batch, allowed: float) -> None:
    report.broken += len(batch.broken)
    report.broken_clips += batch.broken[: NAMED - len(report.broken_clips)]
    if report.broken > allowed:
        shown = "; ".join(report.broken_clips[:5])
        raise TooManyBroken(f"{report.broken} clips cannot be read, which is more than max_broken allows: {shown}")


def check_finite(sums: Tensor, epoch: int, step: int) -> None:
    if not torch.isfinite(sums).all():
        raise Diverged(f"epoch {epoch}: the loss is not a number any more by step {step}; {BEGIN_ANEW}")


@torch.no_grad()
def check_weights(recipe: Recipe, epoch: int) -> None:
    """An epoch's last step may ruin what its losses do not show any more, as huge weights too: a clip and a text tell."""
    student, size = recipe.student, recipe.student.dims.image_size
    seen = [student.frame_embeddings(normalise(torch.zeros(1, 2, size, size, 3, device=recipe.device))),
            student.encode_text(recipe.bank.ids(RAW)[:1].to(recipe.device)), student.logit_scale.exp()]
    if not torch.stack([v.isfinite().all() for v in (*seen, *recipe.parameters().values())]).all():
        raise Diverged(f"epoch {epoch}: the weights give no numbers any more after its last step; {BEGIN_ANEW}")


def summarise(report: EpochReport, sums: Tensor) -> None:
    if not report.clips:
        raise TooManyBroken(f"epoch {report.epoch}: no clip could be read")
    report.loss, report.cross_entropy, report.frames, report.texts, report.accuracy = (sums / report.clips).tolist()


def choose_device(name: str) -> torch.device:
    """auto is the GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"device is {name!r}: want auto, cpu, cuda or cuda:0")
    if device.type == "cuda" and not 0 <= (device.index or 0) < torch.cuda.device_count():
        raise ValueError(f"device is {name!r}: this machine has {torch.cuda.device_count()} GPUs that torch can use")
    return device
