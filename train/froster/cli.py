"""The command line: python -m froster train --config FILE, python -m froster eval."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from . import card, checkpoint, lists
from .config import Config, load
from .data import VideoSet, training_set, validation_set
from .evaluate import Accuracy, evaluate
from .model import Froster
from .report import EpochReport, Log
from .run_state import OtherRun
from .tokenizer import Tokenizer
from .train import Diverged, TooManyBroken, choose_device, fit, student_of

USER_ERRORS = (ValueError, OSError, OtherRun, Diverged, TooManyBroken)


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        args.run(args)
    except torch.OutOfMemoryError as e:
        print(f"froster: {str(e).partition('. ')[0]}; a smaller train.micro_batch needs less", file=sys.stderr)
        return 1
    except USER_ERRORS as e:
        print(f"froster: {e}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="froster", description="FROSTER's training recipe")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    t = commands.add_parser("train", help="train by a configuration; goes on where a run was stopped")
    t.add_argument("--config", required=True, help="TOML file; see configs/")
    t.set_defaults(run=run_train)
    e = commands.add_parser("eval", help="a quick look at top-1 with the 29 prompts; `frostwatch eval` is the measure")
    e.add_argument("--checkpoint", required=True)
    e.add_argument("--clips", required=True, help="list or folder of clips, with classes.txt beside it; of an export its val.txt")
    e.add_argument("--classes", default="", help="class texts, where they lie elsewhere")
    e.add_argument("--root", default="", help="what the list's paths are relative to")
    e.add_argument("--format", default="auto")
    e.add_argument("--workers", type=int, default=0)
    e.add_argument("--device", default="auto")
    e.set_defaults(run=run_eval)
    return top


def run_train(args: argparse.Namespace) -> None:
    config = load(args.config)
    out = Path(config.output.folder)
    clips, classes = training_set(config.data)
    val = validation_set(config.data, classes)
    student, teacher = load_models(config)
    tokenizer = Tokenizer(context=student.dims.context_length)
    log = Log(out / "log.jsonl")
    watch = follow(config, log, student, tokenizer, val=val, texts=[c[0] for c in classes])
    print(f"{len(clips)} clips of {len(classes)} classes on {choose_device(config.train.device)}", flush=True)
    state = fit(config.train, student, teacher, clips, classes, tokenizer=tokenizer, run_dir=out,
                on_begin=log.begin, on_epoch=watch)
    file = out / f"{config.output.name}.pth"
    checkpoint.save(file, state, float16=config.output.float16, deflate=config.output.deflate)
    student.load_state_dict(student_of(state))
    card.write(out, describe(config, len(clips), student, tokenizer, val=val, classes=classes), file)
    print(f"wrote {file}; import it with: frostwatch model import {file} --card {out / 'card.json'} --name {config.output.name}")


def load_models(config: Config) -> tuple[Froster, Froster | None]:
    student = checkpoint.load_model(config.model.checkpoint)
    if not config.train.distil:
        return student, None
    teacher = checkpoint.load_model(config.model.teacher or config.model.checkpoint)
    if any(getattr(teacher.dims, k) != getattr(student.dims, k) for k in ("embed_dim", "image_size", "context_length")):
        raise ValueError(f"model.teacher {config.model.teacher} does not fit {config.model.checkpoint}: "
                         "embeddings, pictures and texts must be of one size")
    return student, teacher


def follow(config: Config, log: Log, student: Froster, tokenizer: Tokenizer, *, val: VideoSet | None,
           texts: list[str]) -> Callable[[EpochReport], None]:
    """Prints each epoch and keeps it in the log, with the student's accuracy on val."""

    def on_epoch(report: EpochReport) -> None:
        seen = look(config, student, tokenizer, val, texts) if val else None
        log.add(report, asdict(seen) if seen else None)
        shown = f" val {100 * seen.base:.1f}%" if seen else ""
        print(f"epoch {report.epoch}/{config.train.epochs}: loss {report.loss:.4f} (classes {report.cross_entropy:.4f}, "
              f"frames {report.frames:.4f}, texts {report.texts:.4f}) right {100 * report.accuracy:.1f}%{shown} "
              f"lr {report.lr:.2e} {report.seconds:.0f} s", flush=True)
        print_left_out("left out", report.broken_clips, report.broken)
        if seen:
            print_left_out("left out of val", seen.broken_clips, seen.broken)

    return on_epoch


def print_left_out(where: str, names: Sequence[str], count: int) -> None:
    for name in names:
        print(f"  {where}: {name}", flush=True)
    if count > len(names):
        print(f"  {where}: {count - len(names)} more", flush=True)


def look(config: Config, student: Froster, tokenizer: Tokenizer, val: VideoSet, texts: list[str]) -> Accuracy:
    return evaluate(student, tokenizer, (val, texts), bfloat16=config.train.bfloat16, workers=config.train.workers)


def describe(config: Config, clips: int, student: Froster, tokenizer: Tokenizer, *, val: VideoSet | None,
             classes: list[list[str]]) -> card.Card:
    """The card of the averaged weights."""
    texts, t = [c[0] for c in classes], config.train
    figures = [("training clips", str(clips))]
    if val:
        a = look(config, student, tokenizer, val, texts)
        figures.append((f"top-1 on {a.clips} validation clips, averaged weights", f"{100 * a.base:.1f}%"))
    how = f"residual feature distillation, weight {t.distil_weight}" if t.distil else "without distillation"
    recipe = (f"From {Path(config.model.checkpoint).name}, {t.epochs} epochs of batches of {t.batch_size}, AdamW {t.lr:g}, {how}; "
              f"weights averaged from epoch {t.average_from} on; seed {t.seed}.")
    o = config.output
    return card.Card(o.name, texts, o.licence, o.summary, o.limits, recipe, tuple(figures))


def run_eval(args: argparse.Namespace) -> None:
    format = lists.guess(Path(args.clips)) if args.format == "auto" else args.format
    source = lists.held_out(Path(args.clips), format)
    listing = lists.read(source, format=format, root=args.root, classes=args.classes)
    model = checkpoint.load_model(args.checkpoint).to(choose_device(args.device))
    tokenizer = Tokenizer(context=model.dims.context_length)
    clips = VideoSet(listing.clips)
    with torch.inference_mode():
        a = evaluate(model, tokenizer, (clips, [c[0] for c in listing.classes]), workers=args.workers)
    print(f"top-1 {100 * a.base:.1f}% of {a.clips} clips, {a.broken} could not be read")
    print_left_out("left out", a.broken_clips, a.broken)
