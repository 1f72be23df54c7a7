"""Makes the demo model, from nothing to a checkpoint: python -m demo.make runs/demo.

Stages, each kept in the folder and not done again: text tower, rendered clips, pretraining, the recipe, figures. What was stopped
goes on with the last stage, and within the recipe with the last whole epoch; the same folder under another plan is refused. The
same command gives the same model on the same machine and libraries.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from demo import dataset
from demo.clips import Clips
from demo.dataset import Split
from demo.distil import DistilConfig, distil
from demo.measure import measure
from demo.pretrain import PretrainConfig, pretrain
from demo.words import TASKS, Task
from froster.config import TrainConfig
from froster.model import Dims, Froster, from_state
from froster.tokenizer import Tokenizer
from froster.train import EpochReport, fit, student_of

DIMS = Dims(image_size=112, patch_size=16, vision_width=128, vision_layers=6, text_width=64, text_layers=4, embed_dim=128)
BESIDE = ("stand", "walk")
TOKENS = ("token_embedding.",)  # rows of words that no class text has would drift if they were trained
RECIPE = TrainConfig(
    epochs=4, batch_size=24, lr=3e-4, lr_start=3e-6, lr_end=3e-6, warmup_epochs=0.5, average_from=2, freeze=TOKENS,
    jitter=118 / 112, flip=0.5, bfloat16=True)
# Who only stands at a fence is taken for a climber after the first round. The second goes on from it, with some of the clips.
SECOND = replace(RECIPE, epochs=2, lr=1.5e-4, lr_start=1.5e-5, warmup_epochs=0.1)


@dataclass(frozen=True)
class Plan:
    """One way to make the model. per_class counts rendered clips of each action in training."""

    task: str = "small"
    per_class: int = 500
    measured: int = 60
    beside: int = 300  # clips each of standing and walking right beside a thing, in the second round
    text: DistilConfig = DistilConfig()
    clip: PretrainConfig = PretrainConfig()
    recipe: TrainConfig = RECIPE
    second: TrainConfig = SECOND


@dataclass(frozen=True)
class Paths:
    """Where a plan's stages leave what they make."""

    folder: Path

    @property
    def text(self) -> Path:
        return self.folder / "text.pt"

    @property
    def clip(self) -> Path:
        return self.folder / "clip.pt"

    @property
    def first(self) -> Path:
        return self.folder / "first.pt"

    @property
    def froster(self) -> Path:
        return self.folder / "froster.pt"

    def split(self, name: str) -> Path:
        return self.folder / name


def make(plan: Plan, paths: Paths) -> None:
    paths.folder.mkdir(parents=True, exist_ok=True)
    keep(plan, paths.folder / "plan.json")
    torch.set_flush_denormal(True)
    tokenizer, task = Tokenizer(), TASKS[plan.task]
    once(paths.text, "text tower", lambda: make_text(plan, paths, tokenizer))
    counts = {"train": plan.per_class, "val": plan.measured // 4, "test": plan.measured, "places": plan.measured // 2}
    for split, count in counts.items():
        dataset.render(paths.split(split), split, tuple(task.all), count)
    once(paths.clip, "pretraining", lambda: make_clip(plan, paths, tokenizer))
    once(paths.first, "recipe", lambda: make_froster(plan.recipe, paths, task, tokenizer, "recipe"))
    dataset.render(paths.split("beside"), "beside", BESIDE, plan.beside)
    once(paths.froster, "second round", lambda: second_round(plan, paths, task, tokenizer))
    report = figures(load(paths.clip), load(paths.froster), paths, task, tokenizer)
    (paths.folder / "figures.json").write_text(json.dumps(report, indent=1) + "\n")


def keep(plan: Plan, file: Path) -> None:
    """Writes down what the folder is made by; stages that are there would not be done again by another plan."""
    text = json.dumps(asdict(plan), indent=1) + "\n"
    if file.exists() and file.read_text() != text:
        raise SystemExit(f"{file.parent} was begun by another plan, that of {file.name}: take another folder")
    file.write_text(text)


def once(file: Path, what: str, stage: Callable[[], dict]) -> None:
    """Runs a stage whose weights are not there yet, and keeps them."""
    if file.exists():
        print(f"{what}: {file} is there", flush=True)
        return
    began = time.monotonic()
    state = stage()
    part = file.with_suffix(".part")
    torch.save(state, part)
    part.replace(file)
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)


def make_text(plan: Plan, paths: Paths, tokenizer: Tokenizer) -> dict:
    torch.manual_seed(plan.text.seed)
    model = Froster(DIMS)
    distil(model, tokenizer, plan.text, paths.folder)
    return model.state_dict()


def make_clip(plan: Plan, paths: Paths, tokenizer: Tokenizer) -> dict:
    model = load(paths.text)
    pretrain(model, Split(paths.split("train")), tokenizer, plan.clip)
    return model.state_dict()


def make_froster(recipe: TrainConfig, paths: Paths, task: Task, tokenizer: Tokenizer, name: str, *, most: int = 0) -> dict:
    """The recipe on the base actions' clips alone, of each `most` where that is not 0; the CLIP it begins with is its teacher."""
    clips = Clips(Split(paths.split("train"), actions=tuple(task.base)), tuple(task.base), most)
    return run_recipe(recipe, paths, task, tokenizer, clips=clips, start=paths.clip, name=name)


def second_round(plan: Plan, paths: Paths, task: Task, tokenizer: Tokenizer) -> dict:
    """The recipe again, by the same teacher, with clips of people who have nothing to do with the thing beside them."""
    most = max(plan.per_class // 2, plan.beside)
    clips = Clips(Split(paths.split("train"), paths.split("beside"), actions=tuple(task.base)), tuple(task.base), most)
    return run_recipe(plan.second, paths, task, tokenizer, clips=clips, start=paths.first, name="second")


def run_recipe(recipe: TrainConfig, paths: Paths, task: Task, tokenizer: Tokenizer, *, clips: Clips, start: Path,
               name: str) -> dict:
    texts = [[w.text, w.text, *w.learnt] for w in task.base.values()]
    teacher = load(paths.clip) if recipe.distil else None
    state = fit(recipe, load(start), teacher, clips, texts, tokenizer=tokenizer, run_dir=paths.folder / name, on_epoch=tell)
    return student_of(state)


def tell(report: EpochReport) -> None:
    print(f"epoch {report.epoch}: loss {report.loss:.3f} classes {report.cross_entropy:.3f} frames {report.frames:.3f} texts "
          f"{report.texts:.3f} right {report.accuracy:.3f} {report.seconds:.0f} s", flush=True)


def load(file: Path) -> Froster:
    return from_state(torch.load(file, weights_only=True))


def figures(clip: Froster, froster: Froster, paths: Paths, task: Task, tokenizer: Tokenizer) -> dict:
    """The CLIP that it began with, frozen, and FROSTER: on clips to choose settings by, on those to report, in unseen places."""
    out = {}
    for split in ("val", "test", "places"):
        clips = Split(paths.split(split))
        frozen = measure(clip, clips, task, tokenizer, temporal=False)
        out[split] = {"clip": frozen, "froster": measure(froster, clips, task, tokenizer)}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--per-class", type=int, default=Plan.per_class)
    parser.add_argument("--pretrain-steps", type=int, default=PretrainConfig.steps)
    parser.add_argument("--epochs", type=int, default=Plan.recipe.epochs)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    plan = Plan(args.task, args.per_class, text=DistilConfig(seed=args.seed),
                clip=PretrainConfig(steps=args.pretrain_steps, seed=args.seed),
                recipe=replace(RECIPE, epochs=args.epochs, seed=args.seed), second=replace(SECOND, seed=args.seed))
    make(plan, Paths(args.folder))


if __name__ == "__main__":
    main()
