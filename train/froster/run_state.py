"""What a training run that was stopped goes on from."""

import dataclasses
import json
import os
from pathlib import Path

import torch

from .average import WeightAverage
from .config import TrainConfig
from .step import Recipe

FREE = ("device", "workers", "compile", "micro_batch", "max_broken")  # may change when a run goes on


class OtherRun(ValueError):
    """The folder holds a run that was begun with other settings."""


def fingerprint(config: TrainConfig, recipe: Recipe) -> str:
    """The settings that make a run what it is, as JSON."""
    kept = {k: v for k, v in dataclasses.asdict(config).items() if k not in FREE}
    return json.dumps(kept | {"dims": dataclasses.asdict(recipe.student.dims), "wordings": recipe.bank.wordings}, sort_keys=True)


def save(path: Path, epoch: int, recipe: Recipe, optimizer: torch.optim.Optimizer, average: WeightAverage) -> None:
    """Replaces the file in one go. The clips' order and all draws follow from seed and epoch; torch's own generator is kept
    for sets of clips that draw from it."""
    state = {
        "epoch": epoch,
        "run": fingerprint(recipe.config, recipe),
        "student": recipe.student.state_dict(),
        "projectors": recipe.projectors.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.total,
        "averaged": average.count,
        "torch_rng": torch.get_rng_state(),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load(path: Path, recipe: Recipe, optimizer: torch.optim.Optimizer) -> tuple[int, WeightAverage]:
    """The number of epochs done and the sum of their weights; 0 where there is no file."""
    if not path.exists():
        return 0, WeightAverage()
    state = torch.load(path, map_location="cpu", weights_only=True)
    compare(path, json.loads(state["run"]), json.loads(fingerprint(recipe.config, recipe)))
    recipe.student.load_state_dict(state["student"])
    recipe.projectors.load_state_dict(state["projectors"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch_rng"])
    return state["epoch"], WeightAverage(state["averaged"], state["average"])


def compare(path: Path, begun: dict, now: dict) -> None:
    for key, value in now.items():
        if begun.get(key) != value:
            raise OtherRun(f"go on from {path}: it was begun with another {key}; choose another folder or delete it")
