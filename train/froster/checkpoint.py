"""Checkpoints in and out. No pickle is ever executed, whoever made the file.

FROSTER's .pth goes through torch.load with weights_only, which builds tensors and plain containers and refuses the rest;
safetensors has nothing to execute; TorchScript archives are read by `torchscript`.
"""

import json
import re
import zipfile
import zlib
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from . import huggingface, torchscript
from .model import Froster, from_state

STUDENT, PROJECTORS = "model.", ("projector_v.", "projector_t.")
NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask")
LARGEST_HALF = 65504.0
UNREADABLE = (ValueError, RuntimeError, OSError, SafetensorError, zipfile.BadZipFile, zlib.error)


def load_model(path: str | Path) -> Froster:
    """The student of a FROSTER checkpoint, or a CLIP from OpenAI or Hugging Face, in float32 on the CPU.

    Raises ValueError, naming the file.
    """
    try:
        return from_state(read_weights(Path(path)))
    except UNREADABLE as e:
        raise ValueError(f"read {path}: {e}") from e


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights under CLIP's names, in the precision of the file."""
    if path.suffix == ".safetensors":
        return from_safetensors(path)
    return student_weights(torchscript.read(path) if is_torchscript(path) else unpickle(path))


def unpickle(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pth's state."""
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as e:  # of a broken or hostile pickle torch may raise anything
        raise ValueError(refusal(e)) from None
    for key in ("model_state", "state_dict"):
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
    if not isinstance(data, dict):
        raise ValueError(f"it holds a {type(data).__name__}, not the state of a model")
    tensors = {k: v for k, v in data.items() if isinstance(k, str) and isinstance(v, Tensor)}
    for name, value in tensors.items():
        refuse_inflated(name, value)
    return tensors


def refusal(error: Exception) -> str:
    """Why torch would not read a file, without its advice to execute what is in it."""
    what = re.search(r"Unsupported \w+: GLOBAL ([\w.]+)|GLOBAL ([\w.]+) was not an allowed", str(error))
    if what:
        return f"it asks for {what[1] or what[2]}; a checkpoint needs tensors and plain values only"
    return "it is no checkpoint, is cut short, or asks for more than tensors and plain values"


def refuse_inflated(name: str, value: Tensor) -> None:
    """A small file may describe a tensor of any size by strides of zero."""
    if value.layout is not torch.strided or value.device.type != "cpu":
        raise ValueError(f"{name} is no plain tensor")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise ValueError(f"{name} of shape {list(value.shape)} is larger than what the file holds of it")


def from_safetensors(path: Path) -> dict[str, Tensor]:
    tensors = safetensors.torch.load_file(path)
    if not huggingface.is_huggingface(tensors):
        return student_weights(tensors)
    config = path.with_name("config.json")
    if config.exists():
        refuse_other_activation(json.loads(config.read_text(encoding="utf-8")))
    return huggingface.to_openai(tensors)


def refuse_other_activation(config: object) -> None:
    for tower in ("vision_config", "text_config"):
        part = config.get(tower, {}) if isinstance(config, dict) else None
        if not isinstance(part, dict):
            raise ValueError("the config.json beside it is not that of a CLIP")
        act = part.get("hidden_act", "quick_gelu")
        if act != "quick_gelu":
            raise ValueError(f"its {tower} says {act}, but FROSTER's activation is quick_gelu")


def is_torchscript(path: Path) -> bool:
    """TorchScript archives hold their code beside the tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as z:
        return any(n.endswith("/constants.pkl") for n in z.namelist())


def student_weights(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without wrapping, teacher, projectors and what is no weight.

    Where some names begin with "model.", only those are the student's.
    """
    bare = {k.removeprefix("module."): v for k, v in tensors.items()}
    if any(k.startswith(STUDENT) for k in bare):
        bare = {k.removeprefix(STUDENT): v for k, v in bare.items() if k.startswith(STUDENT)}
    return {k: v for k, v in bare.items() if not k.startswith((*PROJECTORS, *NOT_WEIGHTS))}


def save(path: str | Path, state: dict[str, Tensor], *, teacher: dict[str, Tensor] | None = None,
         float16: bool = False, deflate: bool = False) -> None:
    """Writes FROSTER's layout: what `train.fit` returned under "model_state", the student's names after "model.".

    float16 halves the file; the logit scale stays float32. deflate packs the zip's entries; torch.load and
    `frostwatch model import` read those as well.
    """
    named = {k if k.startswith(PROJECTORS) else STUDENT + k: v for k, v in state.items()}
    named |= {f"raw_model.{k}": v for k, v in (teacher or {}).items()}
    named = {k: (half(k, v) if float16 and v.ndim else v).detach().cpu().contiguous().clone() for k, v in named.items()}
    path = Path(path)
    part = path.with_name(path.name + ".part")
    torch.save({"model_state": named}, part)
    if deflate:
        pack(part)
    part.replace(path)


def half(name: str, value: Tensor) -> Tensor:
    if value.abs().max() > LARGEST_HALF:
        raise ValueError(f"save {name} in float16: a value is larger than {LARGEST_HALF:.0f}")
    return value.half()


def pack(path: Path) -> None:
    """Rewrites a zip with its entries deflated."""
    packed = path.with_name(path.name + ".zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for entry in old.infolist():
            fresh = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            fresh.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fresh, old.read(entry), compresslevel=9)
    packed.replace(path)
