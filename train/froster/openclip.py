"""OpenCLIP's models whose towers are OpenAI's. They have its names too; what no tensor tells stands in their configuration."""

from torch import Tensor

from .huggingface import other_heads
from .model import HEAD
from .pixels import MEAN, STD

CONFIG = "open_clip_config.json"
WIDEST = 1024  # OpenCLIP's wider towers have wider heads


def refuse_other(config: dict | None, file: str, weights: dict[str, Tensor]) -> None:
    """Raises ValueError where the weights, by OpenAI's names, are of another network than is trained here.

    config is what lies beside them, or None. Without one a file that is named as OpenCLIP names its own has OpenCLIP's default,
    the exact GELU, and any other is OpenAI's.
    """
    if config is not None:
        refuse_configured(config)
    elif file.startswith("open_clip"):
        raise ValueError(f"no {CONFIG} lies beside it, so its activation is OpenCLIP's gelu, but FROSTER's is quick_gelu")
    else:
        conv = weights.get("visual.conv1.weight")
        if conv is not None and conv.ndim and len(conv) > WIDEST:
            raise ValueError(f"a tower of width {len(conv)}: {CONFIG} must lie beside it to tell its heads")


def refuse_configured(config: dict) -> None:
    model, preprocess = table(config, "model_cfg"), table(config, "preprocess_cfg")
    vision, text = table(model, "vision_cfg"), table(model, "text_cfg")
    found = {
        "quick_gelu is not true, but FROSTER's activation is quick_gelu": model.get("quick_gelu") is not True,
        "its vision tower is one of timm's, not CLIP's": bool(vision.get("timm_model_name")),
        "its text tower is one of Hugging Face's, not CLIP's": bool(text.get("hf_model_name")),
        "its text tower does not read as CLIP's does (no_causal_mask, pool_type)":
            bool(text.get("no_causal_mask")) or (text.get("pool_type") or "argmax") != "argmax",
        f"its heads are not {HEAD} wide":
            (vision.get("head_width") or HEAD) != HEAD or other_heads(text.get("width"), text.get("heads")),
        "its mean and deviation of colours are not CLIP's":
            not (close(preprocess.get("mean") or MEAN, MEAN) and close(preprocess.get("std") or STD, STD)),
    }
    for message, is_so in found.items():
        if is_so:
            raise ValueError(f"{CONFIG}: {message}")


def table(config: dict, key: str) -> dict:
    value = config.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{CONFIG}: not that of a CLIP")
    return value


def close(values: object, want: tuple[float, ...]) -> bool:
    if not isinstance(values, list | tuple) or len(values) != len(want):
        return False
    return all(isinstance(v, int | float) and abs(v - w) <= 1e-3 for v, w in zip(values, want, strict=True))
