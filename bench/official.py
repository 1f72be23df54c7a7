"""The official FROSTER model, out of a checkout of Visual-AI/FROSTER.

Only its network and tokenizer are imported. What those modules import besides
(data sets, logging, other networks) is replaced by empty modules, so that
torch, ftfy and regex are all that must be installed.
"""

import importlib
import pathlib
import sys
import types

import torch

FRAMES = 8

# OpenAI's dimensions, for random weights.
ARCHITECTURES = {
    "ViT-B/16": dict(embed_dim=512, image_resolution=224, vision_layers=12, vision_width=768, vision_patch_size=16,
                     context_length=77, vocab_size=49408, transformer_width=512, transformer_heads=8, transformer_layers=12),
    "ViT-B/32": dict(embed_dim=512, image_resolution=224, vision_layers=12, vision_width=768, vision_patch_size=32,
                     context_length=77, vocab_size=49408, transformer_width=512, transformer_heads=8, transformer_layers=12),
    "ViT-L/14": dict(embed_dim=768, image_resolution=224, vision_layers=24, vision_width=1024, vision_patch_size=14,
                     context_length=77, vocab_size=49408, transformer_width=768, transformer_heads=12, transformer_layers=12),
}

UNUSED = ["torchvision", "torchvision.transforms", "pkg_resources", "tqdm", "PIL", "slowfast.utils",
          "slowfast.utils.logging", "slowfast.models.build", "slowfast.models.clip.clip", "slowfast.models.videomae",
          "slowfast.models.videomae.modeling_pretrain", "slowfast.models.videomae.masking_generator"]


class _Nothing:
    """Stands for whatever is taken out of a module that is not needed."""

    def __getattr__(self, name):
        return _Nothing()

    def __call__(self, *args, **kwargs):
        # As a decorator it leaves what it decorates.
        return args[0] if len(args) == 1 and isinstance(args[0], type) else _Nothing()


class _EmptyModule(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()


def open_checkout(path):
    """Import the official model's module and tokenizer from a checkout."""
    root = pathlib.Path(path) / "slowfast"
    if not (root / "models" / "temporalclip_video_model.py").is_file():
        raise SystemExit(f"{path} is not a checkout of Visual-AI/FROSTER: no slowfast/models/temporalclip_video_model.py in it")
    for name, folder in (("slowfast", root), ("slowfast.models", root / "models"), ("slowfast.models.clip", root / "models" / "clip")):
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]  # a package whose __init__ is not run
        sys.modules[name] = module
    for name in UNUSED:
        sys.modules[name] = _EmptyModule(name)
    model = importlib.import_module("slowfast.models.temporalclip_video_model")
    tokenizer = importlib.import_module("slowfast.models.clip.simple_tokenizer")
    return model, tokenizer


def random_state(module, architecture, seed):
    """A state dict of random weights, drawn as the official code initialises."""
    torch.manual_seed(seed)
    return module.WCLIP(**ARCHITECTURES[architecture], T=FRAMES, temporal_modeling_type="expand_temporal_view").state_dict()


def student_state(file):
    """The student's weights of a FROSTER checkpoint, never executing its pickle."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    state = state.get("model_state", state)
    if any(name.startswith("model.") for name in state):
        state = {name.removeprefix("model."): v for name, v in state.items() if name.startswith("model.")}
    return {name: v.float() for name, v in state.items()}


def build(module, state):
    """The official network with these weights, for inference in float32."""
    return module.build_model(dict(state), T=FRAMES, temporal_modeling_type="expand_temporal_view").float().eval()


def tokens(tokenizer, texts, context=77):
    """Token ids of texts, [texts, context], as the official code pads them."""
    t = tokenizer.SimpleTokenizer()
    out = torch.zeros(len(texts), context, dtype=torch.long)
    for row, text in enumerate(texts):
        ids = [t.encoder["<|startoftext|>"], *t.encode(text), t.encoder["<|endoftext|>"]]
        out[row, : len(ids)] = torch.tensor(ids)
    return out
