"""What a training run is told: one TOML file, or these classes in code."""

import math
import re
import tomllib
import types
import typing
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

ANY = math.inf
SERVED_FRAMES = 8  # of a clip, fixed in the product (infer/froster/dims.go, framer/sampler.go)
MAX_NAME = 200  # bytes; a file's name may have 255, and endings are put to this one


def within(config: object, **ranges: tuple[float, float]) -> None:
    """Raises ValueError for the first value that is below or above its range, or no number."""
    for name, (least, most) in ranges.items():
        value = getattr(config, name)
        if not (least <= value <= most and value < ANY):
            wanted = f"at least {least:g}" if most == ANY else f"{least:g} to {most:g}"
            raise ValueError(f"{name} is {value}: want {wanted}")


@dataclass(frozen=True)
class TrainConfig:
    """The recipe; the defaults are the official ones, but for jitter and mirroring, which do not suit all clips and are off."""

    epochs: int = 22
    batch_size: int = 64  # clips a step
    micro_batch: int = 0  # clips computed at a time; 0: the whole batch. Same gradients, less memory
    lr: float = 3.33e-6
    lr_start: float = 3.33e-8  # where the warm-up starts
    lr_end: float = 3.33e-8  # where the cosine ends
    warmup_epochs: float = 2.0
    weight_decay: float = 0.01  # not on vectors; on the logit scale, a scalar, as the official code has it
    clip_norm: float = 1.0  # 0: gradients are not clipped
    label_smoothing: float = 0.0
    distil: bool = True  # false: plain fine-tuning, without teacher and projectors
    distil_weight: float = 2.0
    alpha: float = 0.1
    average_from: int = 2  # first epoch, counted from 1, whose weights are averaged
    freeze: tuple[str, ...] = ()  # parameters that stay: names as in the checkpoint, or beginnings such as "visual.conv1"
    train_text: bool = True
    jitter: float = 1.0  # a clip's short side is drawn from 1 to this many times the model's size, then cropped; 1: no jitter
    flip: float = 0.0  # how often a clip is mirrored
    seed: int = 0
    device: str = "auto"
    bfloat16: bool = False
    compile: bool = False
    workers: int = 0  # processes that decode; 0: in this one
    max_broken: float = 0.05  # a larger share of broken clips in an epoch stops the training

    def __post_init__(self) -> None:
        within(self, epochs=(1, ANY), batch_size=(1, ANY), micro_batch=(0, ANY), lr_start=(0, ANY), lr_end=(0, ANY),
               warmup_epochs=(0, ANY), weight_decay=(0, ANY), clip_norm=(0, ANY), label_smoothing=(0, 1), distil_weight=(0, ANY),
               alpha=(0, ANY), jitter=(1, 2), flip=(0, 1), seed=(0, 2**63 - 1), workers=(0, ANY), max_broken=(0, 1))
        if not 0 < self.lr < ANY:
            raise ValueError(f"lr is {self.lr}: want more than 0")
        if not 1 <= self.average_from <= self.epochs:
            raise ValueError(f"average_from is {self.average_from}: want 1 to epochs, {self.epochs}")
        if not self.lr_end <= self.lr:
            raise ValueError(f"lr_end is {self.lr_end}: want at most lr, {self.lr}")


@dataclass(frozen=True)
class DataConfig:
    """Where clips and class texts come from."""

    train: str  # a list of clips, a folder of folders, or what `frostwatch export clips` wrote
    classes: str = ""  # class texts: classes.txt or FROSTER's JSON; empty: classes.txt beside train, or the folders' names
    root: str = ""  # what the paths in lists are relative to, and may not leave; empty: the list's folder
    format: str = "auto"  # auto, list, folders, export, kinetics, ucf, hmdb, ssv2
    val: str = ""  # the same for a look at accuracy after each epoch; empty: none
    frames: int = SERVED_FRAMES  # of a clip; the product serves no other number
    step: int = 16  # at 30 frames a second

    def __post_init__(self) -> None:
        within(self, step=(1, 10_000))
        if self.frames != SERVED_FRAMES:
            raise ValueError(f"frames is {self.frames}: want {SERVED_FRAMES}; models are imported and served with that many alone")


@dataclass(frozen=True)
class ModelConfig:
    """Weights to start from."""

    checkpoint: str
    teacher: str = ""  # empty: the same


@dataclass(frozen=True)
class OutputConfig:
    """What is written, and what its card says."""

    folder: str
    name: str = "froster"  # of the checkpoint's file and of the model once imported: its folder in models/
    licence: str = ""
    summary: str = ""
    limits: tuple[str, ...] = ()
    float16: bool = True
    deflate: bool = False

    def __post_init__(self) -> None:
        named = self.name.strip() not in ("", ".", "..") and not re.search(r"[/\\\x00-\x1f\x7f]", self.name)
        if not named or len(self.name.encode()) > MAX_NAME:
            raise ValueError(f"name is {self.name[:40]!r}: want a file's name, no path, of at most {MAX_NAME} bytes")


@dataclass(frozen=True)
class Config:
    """A whole run."""

    model: ModelConfig
    data: DataConfig
    output: OutputConfig
    train: TrainConfig = field(default_factory=TrainConfig)


def load(path: str | Path) -> Config:
    """Reads a TOML file; a key that does not exist, or of another type, is an error that names it."""
    try:
        with open(path, "rb") as f:
            return build(Config, tomllib.load(f), "")
    except (ValueError, tomllib.TOMLDecodeError) as e:
        raise ValueError(f"read {path}: {e}") from None


def build(cls: type, table: dict, where: str):
    """A dataclass from a TOML table."""
    hints = typing.get_type_hints(cls)
    if extra := table.keys() - hints.keys():
        raise ValueError(f"{where}{min(extra)}: no such key; there are {', '.join(hints)}")
    values = {key: convert(hints[key], value, where + key) for key, value in table.items()}
    missing = [f.name for f in fields(cls) if f.name not in table and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise ValueError(f"{where}{missing[0]} is missing")
    try:
        return cls(**values)
    except ValueError as e:
        raise ValueError(f"{where}{e}") from None


def convert(hint: type, value: object, where: str):
    """One value as its field wants it: a list for a tuple, an integer for a float."""
    if isinstance(hint, types.GenericAlias) and isinstance(value, list):
        return tuple(convert(hint.__args__[0], v, where) for v in value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        if isinstance(value, dict) and hint not in (int, float, str, bool):
            return build(hint, value, where + ".")
        if type(value) is hint:
            return value
    raise ValueError(f"{where} is {value!r}: want {kind(hint)}")


def kind(hint: type) -> str:
    """How TOML calls it."""
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if isinstance(hint, types.GenericAlias):
        return f"a list, each item {kind(hint.__args__[0])}"
    return names.get(hint, "a table")
