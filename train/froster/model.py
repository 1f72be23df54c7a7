"""CLIP with FROSTER's temporal attention.

The architecture is that of the paper "FROSTER: Frozen CLIP is a strong teacher for open-vocabulary action recognition" and of
the code published with it. Modules are named as in CLIP's state dict, so weights go in and out without renaming.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

HEAD = 64  # CLIP's attention heads are always 64 wide
FEW_KEYS = 256  # up to here the scores of all pairs may lie in memory
MAX_LAYERS = 100  # of a tower; ViT-L/14 has 24


@dataclass(frozen=True)
class Dims:
    """Everything that tells one network from another; widths are multiples of 64."""

    image_size: int
    patch_size: int
    vision_width: int
    vision_layers: int
    text_width: int
    text_layers: int
    embed_dim: int
    context_length: int = 77
    vocab_size: int = 49408

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}: want at least 1")
        for name in ("vision_layers", "text_layers"):
            if getattr(self, name) > MAX_LAYERS:
                raise ValueError(f"{name} is {getattr(self, name)}: want at most {MAX_LAYERS}")
        for name in ("vision_width", "text_width"):
            if getattr(self, name) % HEAD:
                raise ValueError(f"{name} is {getattr(self, name)}: want a multiple of {HEAD}")
        if self.image_size % self.patch_size:
            raise ValueError(f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}")


VIT_B16 = Dims(224, 16, 768, 12, 512, 12, 512)


def drawn(*shape: int, std: float) -> nn.Parameter:
    return nn.Parameter(nn.init.normal_(torch.empty(*shape), std=std))


class Attention(nn.Module):
    """Multi-head attention with the parameter names of torch's nn.MultiheadAttention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, frames: int = 0, causal: bool = False) -> Tensor:
        """x and the result are [n, tokens, width]. With frames = T, n is clips x T and attention spans neighbouring frames."""
        n, tokens, width = x.shape
        q, kv = F.linear(x, self.in_proj_weight, self.in_proj_bias).split([width, 2 * width], -1)
        if frames:
            kv = with_neighbours(kv.view(-1, frames, tokens, 2 * width)).view(n, -1, 2 * width)
        k, v = kv.chunk(2, -1)
        q, k, v = (t.reshape(n, -1, width // HEAD, HEAD).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal) if causal else attend(q, k, v)
        return self.out_proj(y.transpose(1, 2).reshape(n, tokens, width))


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of q [n, heads, tokens, 64] over all of k and v, [n, heads, keys, 64].

    Over few keys torch's fused kernel (2.15) in bfloat16 on a CPU takes 1.6 times as long as two products, and backward 3 times.
    """
    if q.device.type != "cpu" or q.dtype != torch.bfloat16 or k.shape[-2] > FEW_KEYS:
        return F.scaled_dot_product_attention(q, k, v)
    with torch.autocast("cpu", enabled=False):
        return (q * HEAD**-0.5 @ k.transpose(-1, -2)).softmax(-1) @ v


def with_neighbours(kv: Tensor) -> Tensor:
    """Keys and values [clips, T, tokens, w] joined to those of the next, the previous and the same frame, [clips, T, 3 tokens, w].

    Beyond a clip's ends they are zero vectors, which still take part in the softmax.
    """
    padded = F.pad(kv, (0, 0, 0, 0, 1, 1))
    return torch.cat([padded[:, 2:], padded[:, :-2], kv], 2)


class QuickGELU(nn.Module):
    """The activation of OpenAI's CLIP."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = Attention(width)
        self.ln_1 = nn.LayerNorm(width)
        layers = [("c_fc", nn.Linear(width, 4 * width)), ("gelu", QuickGELU()), ("c_proj", nn.Linear(4 * width, width))]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, frames: int = 0, causal: bool = False) -> Tensor:
        x = x + self.attn(self.ln_1(x), frames, causal)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """A stack of layers, started as OpenAI starts its text tower."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width) for _ in range(layers))
        inner, outer = width**-0.5, width**-0.5 * (2 * layers) ** -0.5
        for block in self.resblocks:
            nn.init.normal_(block.attn.in_proj_weight, std=inner)
            nn.init.normal_(block.attn.out_proj.weight, std=outer)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * width) ** -0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=outer)
            for layer in (block.attn.out_proj, block.mlp.c_fc, block.mlp.c_proj):
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, frames: int = 0, causal: bool = False) -> Tensor:
        for block in self.resblocks:
            x = block(x, frames, causal)
        return x


class VisionTower(nn.Module):
    """CLIP's vision transformer."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        width, scale = dims.vision_width, dims.vision_width**-0.5
        self.conv1 = nn.Conv2d(3, width, dims.patch_size, dims.patch_size, bias=False)
        self.class_embedding = drawn(width, std=scale)
        self.positional_embedding = drawn((dims.image_size // dims.patch_size) ** 2 + 1, width, std=scale)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, dims.vision_layers)
        self.ln_post = nn.LayerNorm(width)
        self.proj = drawn(width, dims.embed_dim, std=scale)

    def tokens(self, pixels: Tensor, frames: int = 0) -> Tensor:
        """pixels [n, 3, size, size], normalised, to [n, 1 + patches, width] before ln_post; the class token is first."""
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([first, patches], 1) + self.positional_embedding
        return self.transformer(self.ln_pre(x), frames)

    def forward(self, pixels: Tensor, frames: int = 0) -> Tensor:
        """pixels [n, 3, size, size] to embeddings [n, embed_dim], not unit. frames = 0 is plain CLIP, image by image."""
        return self.ln_post(self.tokens(pixels, frames)[:, 0]) @ self.proj


class Froster(nn.Module):
    """Both towers. Seen plainly (frames = 0) it is CLIP, the teacher; seen over clips of T frames it is the student."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.dims = dims
        self.visual = VisionTower(dims)
        self.transformer = Transformer(dims.text_width, dims.text_layers)
        self.token_embedding = nn.Embedding(dims.vocab_size, dims.text_width)
        self.positional_embedding = drawn(dims.context_length, dims.text_width, std=0.01)
        self.ln_final = nn.LayerNorm(dims.text_width)
        self.text_projection = drawn(dims.text_width, dims.embed_dim, std=dims.text_width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def encode_text(self, ids: Tensor) -> Tensor:
        """Token ids int64 [n, length] to embeddings [n, embed_dim], not unit; read at the first highest id, the end token.

        The mask is causal, so ids may be cut after the batch's longest text.
        """
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        x = self.ln_final(self.transformer(x, causal=True))
        return x[torch.arange(len(ids), device=ids.device), ids.argmax(-1)] @ self.text_projection

    def frame_embeddings(self, clips: Tensor, temporal: bool = True) -> Tensor:
        """clips [b, T, 3, size, size], normalised, to unit embeddings [b, T, embed_dim] in float32."""
        b, frames = clips.shape[:2]
        e = self.visual(clips.flatten(0, 1), frames if temporal else 0)
        return F.normalize(e.float(), dim=-1).view(b, frames, -1)

    def clip_embeddings(self, clips: Tensor, temporal: bool = True) -> Tensor:
        """clips [b, T, 3, size, size] to [b, embed_dim]: the mean of the unit frames, not made unit again."""
        return self.frame_embeddings(clips, temporal).mean(1)


def dims_of(state: dict[str, Tensor]) -> Dims:
    """Reads the architecture off a state dict in CLIP's names."""
    try:
        conv, proj = state["visual.conv1.weight"], state["text_projection"]
        grid = math.isqrt(max(0, length(state["visual.positional_embedding"]) - 1))
        context, vocab = length(state["positional_embedding"]), length(state["token_embedding.weight"])
    except KeyError as e:
        raise ValueError(f"the weights lack {e.args[0]}: not a CLIP vision transformer") from None
    if conv.ndim != 4 or proj.ndim != 2:
        raise ValueError("visual.conv1.weight or text_projection has another shape than in a CLIP vision transformer")
    return Dims(
        image_size=grid * conv.shape[-1], patch_size=conv.shape[-1],
        vision_width=conv.shape[0], vision_layers=count_layers(state, "visual.transformer.resblocks."),
        text_width=proj.shape[0], text_layers=count_layers(state, "transformer.resblocks."),
        embed_dim=proj.shape[1], context_length=context, vocab_size=vocab,
    )


def length(value: Tensor) -> int:
    return len(value) if value.ndim else 0


def count_layers(state: dict[str, Tensor], prefix: str) -> int:
    return len({k[len(prefix) :].split(".")[0] for k in state if k.startswith(prefix)})


class Unfilled(TorchFunctionMode):
    """Leaves out the drawing of initial weights, which takes seconds even where there is no memory to fill."""

    def __torch_function__(self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None):
        if getattr(func, "__module__", "") == "torch.nn.init":
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return func(*args, **(kwargs or {}))


def from_state(state: dict[str, Tensor]) -> Froster:
    """The model whose weights, in CLIP's names, these are; in float32 on the CPU, in memory of its own.

    It is built without memory first: what a file claims costs nothing before every shape has been found to fit.
    """
    with torch.device("meta"), Unfilled():
        model = Froster(dims_of(state))
    wanted = {k: v.shape for k, v in model.state_dict().items()}
    if odd := sorted(wanted.keys() ^ state.keys()):
        raise ValueError(f"the weights {'lack' if odd[0] in wanted else 'have an unknown'} {odd[0]}")
    for name, value in state.items():
        if value.shape != wanted[name]:
            raise ValueError(f"{name} has shape {list(value.shape)}: want {list(wanted[name])}")
    model.load_state_dict({k: v.to(torch.float32, copy=True).contiguous() for k, v in state.items()}, assign=True)
    return model.eval()
