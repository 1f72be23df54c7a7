"""What a training run that was stopped goes on from."""

import dataclasses
import hashlib
import json
from pathlib import Path

import torch

from .average import WeightAverage
from .batches import ClipSet
from .config import TrainConfig
from .model import Froster
from .step import Recipe

FREE = ("device", "workers", "compile", "micro_batch", "max_broken")  # may change when a run goes on


class OtherRun(ValueError):
    """The folder holds a run that was begun with other settings."""


def identity(config: TrainConfig, recipe: Recipe, clips: ClipSet) -> dict[str, object]:
    """What makes a run the one it is, to be asked for before its first step."""
    kept = {k: v for k, v in dataclasses.asdict(config).items() if k not in FREE}
    teacher = weights_sha256(recipe.teacher) if recipe.teacher else ""
    own = getattr(clips, "identity", None)
    parts = {"checkpoint": weights_sha256(recipe.student), "teacher": teacher, "class texts": recipe.bank.wordings,
             "set of clips": own() if own else len(clips)}
    return json.loads(json.dumps(kept | parts))


def weights_sha256(model: Froster) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {list(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save(path: Path, epoch: int, run: dict[str, object], recipe: Recipe, *, optimizer: torch.optim.Optimizer,
         average: WeightAverage) -> None:
    """Replaces the file in one go.

    The clips' order and all draws follow from seed and epoch; torch's own generator is kept for sets of clips that draw from it.
    """
    state = {
        "epoch": epoch,
        "run": json.dumps(run),
        "student": recipe.student.state_dict(),
        "projectors": recipe.projectors.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.total,
        "averaged": average.count,
        "torch_rng": torch.get_rng_state(),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load(path: Path, run: dict[str, object], recipe: Recipe, optimizer: torch.optim.Optimizer) -> tuple[int, WeightAverage]:
    """The number of epochs done and the sum of their weights; 0 where there is no file."""
    if not path.exists():
        return 0, WeightAverage()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        begun = json.loads(state["run"])
    except OSError:
        raise
    except Exception:  # of a broken file torch may raise anything
        raise ValueError(f"go on from {path}: it is broken; delete it to begin anew") from None
    compare(path, begun, run)
    recipe.student.load_state_dict(state["student"])
    recipe.projectors.load_state_dict(state["projectors"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch_rng"])
    return state["epoch"], WeightAverage(state["averaged"], state["average"])


def compare(path: Path, begun: dict, now: dict) -> None:
    for key, value in now.items():
        if begun.get(key) != value:
            raise OtherRun(f"go on from {path}: it was begun with another {key}; choose another folder or delete it")
