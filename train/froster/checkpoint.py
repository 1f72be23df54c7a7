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

from . import huggingface, openclip, torchscript
from .files import replacing, save_torch
from .model import Dims, Froster, from_state

STUDENT, PROJECTORS = "model.", ("projector_v.", "projector_t.")
NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask")
LARGEST_HALF = 65504.0
MAX_CONFIG = 1 << 20
PACKED_BESIDE = 16 << 20  # bytes of a zip that are no weights and may be packed to nothing: TorchScript's code
UNREADABLE = (ValueError, RuntimeError, OSError, SafetensorError, zipfile.BadZipFile, zlib.error)


def load_model(path: str | Path) -> Froster:
    """The student of a FROSTER checkpoint, or a CLIP from OpenAI or Hugging Face, in float32 on the CPU.

    Raises ValueError, naming the file.
    """
    try:
        model = from_state(read_weights(Path(path)))
        if model.dims.vocab_size < Dims.vocab_size:
            raise ValueError(f"its vocabulary has {model.dims.vocab_size} tokens: want {Dims.vocab_size}, as CLIP's tokenizer")
        return model
    except UNREADABLE as e:
        raise ValueError(f"read {path}: {e}") from e


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights under CLIP's names, in the precision of the file."""
    if path.suffix == ".safetensors":
        return from_safetensors(path)
    refuse_bomb(path)
    wrap, tensors = ("", torchscript.read(path)) if is_torchscript(path) else unpickle(path)
    weights = student_weights(tensors)
    openais = path.suffix == ".pt" and not wrap  # OpenCLIP's training writes its state_dict as .pt too
    if wrap != "model_state" and not openais:
        openclip.refuse_other(config_beside(path, openclip.CONFIG), path.name, weights)
    return weights


def refuse_bomb(path: Path, most: float = torchscript.MAX_BYTES) -> None:
    """Raises ValueError for a zip that would take far more memory than it is long, which none does that holds weights.

    Weights packed by `save` lose less than half. What is no zip torch takes for a pickle, whose tensors lie in it as they are.
    """
    with open(path, "rb") as f:
        is_zip = f.read(4) == b"PK\x03\x04" or zipfile.is_zipfile(f)
    if not is_zip:
        return
    size = path.stat().st_size
    with zipfile.ZipFile(path) as z:
        total = sum(i.file_size for i in z.infolist())
    if total > min(2 * size + PACKED_BESIDE, most):
        raise ValueError(f"it would unfold from {size} to {total} bytes, more than a checkpoint does")


def unpickle(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The tensors of a .pth's state, and the name that they lie under, if any."""
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as e:  # of a broken or hostile pickle torch may raise anything
        raise ValueError(refusal(e)) from None
    wrap = ""
    for key in ("model_state", "state_dict"):
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            wrap, data = wrap or key, data[key]
    if not isinstance(data, dict):
        raise ValueError(f"it holds a {type(data).__name__}, not the state of a model")
    tensors = {k: v for k, v in data.items() if isinstance(k, str) and isinstance(v, Tensor)}
    for name, value in tensors.items():
        refuse_inflated(name, value)
    return wrap, tensors


def refusal(error: Exception) -> str:
    """Why torch would not read a file, without its advice to execute what is in it."""
    what = re.search(r"GLOBAL ([\w.]{1,100})", str(error))
    if what:
        return f"it asks for {what[1]}; a checkpoint needs tensors and plain values only"
    return "it is no checkpoint, is cut short, or asks for more than tensors and plain values"


def refuse_inflated(name: str, value: Tensor) -> None:
    """A small file may describe a tensor of any size by strides of zero."""
    if value.layout is not torch.strided or value.device.type != "cpu":
        raise ValueError(f"{name} is no plain tensor")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise ValueError(f"{name} of shape {list(value.shape)} is larger than what the file holds of it")


def from_safetensors(path: Path) -> dict[str, Tensor]:
    tensors = safetensors.torch.load_file(path)
    if huggingface.is_huggingface(tensors):
        huggingface.refuse_other(config_beside(path, huggingface.CONFIG) or {})
        return huggingface.to_openai(tensors)
    weights = student_weights(tensors)
    openclip.refuse_other(config_beside(path, openclip.CONFIG), path.name, weights)
    return weights


def config_beside(path: Path, name: str) -> dict | None:
    """What the JSON of this name beside a file holds; None where there is none."""
    file = path.with_name(name)
    if not file.exists():
        return None
    if file.stat().st_size > MAX_CONFIG:
        raise ValueError(f"{name} beside it has more than {MAX_CONFIG} bytes")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as e:
        raise ValueError(f"{name} beside it is no JSON: {e}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{name} beside it is not that of a CLIP")
    return config


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
    with replacing(Path(path)) as part:
        save_torch({"model_state": named}, part)
        if deflate:
            pack(part)


def half(name: str, value: Tensor) -> Tensor:
    if not value.abs().max() <= LARGEST_HALF:
        raise ValueError(f"save {name} in float16: a value is larger than {LARGEST_HALF:.0f} or no number")
    return value.half()


def pack(path: Path) -> None:
    """Rewrites a zip with its entries deflated."""
    with (replacing(path) as packed, zipfile.ZipFile(path) as old,
          zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new):
        for entry in old.infolist():
            fresh = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            fresh.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fresh, old.read(entry), compresslevel=9)
