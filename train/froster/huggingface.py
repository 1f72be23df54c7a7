"""Hugging Face's CLIPModel under OpenAI's names."""

import torch
from torch import Tensor

from .model import HEAD

CONFIG = "config.json"

WHOLE = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "logit_scale": "logit_scale",
}
NORMS = {
    "vision_model.pre_layrnorm": "visual.ln_pre",  # spelt so there
    "vision_model.post_layernorm": "visual.ln_post",
    "text_model.final_layer_norm": "ln_final",
}
TURNED = {"visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection"}
IN_LAYER = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def is_huggingface(tensors: dict[str, Tensor]) -> bool:
    return "vision_model.embeddings.class_embedding" in tensors


def refuse_other(config: dict) -> None:
    """Raises ValueError where a config.json is that of another network than is trained here."""
    for tower in ("vision_config", "text_config"):
        part = config.get(tower, {})
        if not isinstance(part, dict):
            raise ValueError(f"{CONFIG}: not that of a CLIP")
        act = part.get("hidden_act", "quick_gelu")
        if act != "quick_gelu":
            raise ValueError(f"{CONFIG}: its {tower} says {act}, but FROSTER's activation is quick_gelu")
        if other_heads(part.get("hidden_size"), part.get("num_attention_heads")):
            raise ValueError(f"{CONFIG}: the heads of its {tower} are not {HEAD} wide")


def other_heads(width: object, heads: object) -> bool:
    """Whether a configuration tells of heads that are not CLIP's; no tensor tells."""
    return isinstance(width, int) and isinstance(heads, int) and heads > 0 and width != heads * HEAD


def to_openai(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights: q, k and v joined, projections transposed, position ids left out. Raises ValueError for what is missing."""
    try:
        return translate(tensors)
    except KeyError as e:
        raise ValueError(f"the weights lack {e.args[0]}: not a CLIP as Hugging Face has it") from None


def translate(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    out = {new: tensors[old] for old, new in WHOLE.items()}
    out |= {new: tensors[old].T for old, new in TURNED.items()}
    out |= {f"{new}.{p}": tensors[f"{old}.{p}"] for old, new in NORMS.items() for p in ("weight", "bias")}
    for tower, prefix in (("vision_model", "visual.transformer"), ("text_model", "transformer")):
        layers = {int(k.split(".")[3]) for k in tensors if k.startswith(f"{tower}.encoder.layers.")}
        for i in layers:
            out |= layer(tensors, f"{tower}.encoder.layers.{i}", f"{prefix}.resblocks.{i}")
    return out


def layer(tensors: dict[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    out = {}
    for p in ("weight", "bias"):
        out |= {f"{new}.{b}.{p}": tensors[f"{old}.{a}.{p}"] for a, b in IN_LAYER.items()}
        out[f"{new}.attn.in_proj_{p}"] = torch.cat([tensors[f"{old}.self_attn.{x}_proj.{p}"] for x in "qkv"])
    return out
