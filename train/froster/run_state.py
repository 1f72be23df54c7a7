"""What a training run that was stopped goes on from."""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from .average import WeightAverage
from .batches import ClipSet
from .checkpoint import refuse_bomb
from .config import TrainConfig
from .files import replacing, save_torch
from .model import Froster
from .report import EpochReport
from .step import Recipe

FREE = ("device", "workers", "compile", "micro_batch", "max_broken")  # may change when a run goes on


@dataclass
class Progress:
    """What was done of a run."""

    reports: list[EpochReport] = field(default_factory=list)  # of its whole epochs, in order
    average: WeightAverage = field(default_factory=WeightAverage)


class OtherRun(ValueError):
    """The folder holds a run that was begun with other settings."""


def identity(config: TrainConfig, recipe: Recipe, clips: ClipSet) -> dict[str, object]:
    """What makes a run the one it is, to be asked for before its first step."""
    kept = {k: v for k, v in asdict(config).items() if k not in FREE}
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


def trained_state(recipe: Recipe) -> dict[str, Tensor]:
    """Student and projectors by the names they have in what `train.fit` returns."""
    state = dict(recipe.student.state_dict())
    return state | recipe.projectors.state_dict() if recipe.config.distil else state


def save(path: Path, run: dict[str, object], recipe: Recipe, *, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Replaces the file in one go.

    The clips' order and all draws follow from seed and epoch; torch's own generator is kept for sets of clips that draw from it.
    """
    state = {
        "epoch": len(progress.reports),
        "run": json.dumps(run),
        "reports": json.dumps([asdict(r) for r in progress.reports]),
        "student": recipe.student.state_dict(),
        "projectors": recipe.projectors.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": progress.average.total,
        "averaged": progress.average.count,
        "torch_rng": torch.get_rng_state(),
    }
    with replacing(path) as part:
        save_torch(state, part)


def load(path: Path, run: dict[str, object], recipe: Recipe, optimizer: torch.optim.Optimizer) -> Progress:
    """What was done, with recipe and optimizer brought to where it ended; nothing where there is no file."""
    if not path.exists():
        return Progress()
    with whole(path):
        refuse_bomb(path, math.inf)
        state = torch.load(path, map_location="cpu", weights_only=True)
        begun = dict(json.loads(state["run"]))
    compare(path, begun, run)
    with whole(path):
        return restore(state, recipe, optimizer)


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Of a broken file torch may raise anything, and so may what is in it: all of it is one error."""
    try:
        yield
    except OSError:
        raise
    except Exception:
        raise ValueError(f"go on from {path}: it is broken; delete it to begin anew") from None


def compare(path: Path, begun: dict, now: dict) -> None:
    for key, value in now.items():
        if begun.get(key) != value:
            raise OtherRun(f"go on from {path}: it was begun with another {key}; choose another folder or delete it")


def restore(state: dict, recipe: Recipe, optimizer: torch.optim.Optimizer) -> Progress:
    """Raises anything where the state is not one that `save` wrote."""
    reports = [EpochReport(**r) for r in json.loads(state["reports"])]
    average = WeightAverage(state["averaged"], state["average"])
    want(state["epoch"] == len(reports) and [r.epoch for r in reports] == list(range(1, len(reports) + 1)))
    want(average.count == max(0, len(reports) + 1 - recipe.config.average_from))
    want(not average.count or alike(average.total, trained_state(recipe)))
    recipe.student.load_state_dict(state["student"])
    recipe.projectors.load_state_dict(state["projectors"])
    # The groups' rates and decays are the configuration's, not the file's.
    optimizer.load_state_dict({"state": state["optimizer"]["state"], "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter, moments in optimizer.state.items():
        want(alike(moments, {"step": torch.tensor(0.0), "exp_avg": parameter, "exp_avg_sq": parameter}))
    torch.set_rng_state(state["torch_rng"])
    return Progress(reports, average)


def want(so: bool) -> None:
    if not so:
        raise ValueError("not what was saved")


def alike(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    """Whether these are float32 tensors of the same names and shapes, each with memory of its own."""
    return found.keys() == wanted.keys() and all(
        v.dtype == torch.float32 and v.shape == wanted[k].shape and v.is_contiguous() for k, v in found.items())
