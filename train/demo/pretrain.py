"""A small CLIP: single frames and captions, as the recipe expects a CLIP to begin with.

The text tower stays as it was distilled. Beside captions the vision tower learns where joints are, by two heads that are thrown
away: a few thousand rendered captions alone teach a small tower little about bodies. The novel actions are seen here as stills,
under captions that never hold their class text, as CLIP met them on the web.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.dataset import SIZE, Split
from demo.progress import Progress
from demo.rate import warm_cosine
from demo.stage import JOINTS
from demo.views import draw_crop, look_at, move_joints, relight
from demo.words import caption
from froster.model import Froster, VisionTower
from froster.tokenizer import Tokenizer

LIKENESS = 20.0  # sharpness of the soft targets that texts of like meaning share
RARE = 8.0  # weight of the few patches that hold a joint
NOWHERE = -9.0


@dataclass(frozen=True)
class PretrainConfig:
    steps: int = 4500
    batch: int = 128
    lr: float = 1e-3
    warmup: int = 200
    weight_decay: float = 0.05
    joints: float = 4.0  # weight of the joints' patches; of their places it is twice that
    kept: int = 28  # patches that are computed in most steps, those around the people first
    whole: float = 0.3  # share of the steps, the last ones, in which all are
    bfloat16: bool = True
    seed: int = 0


class JointHeads(nn.Module):
    """Which joints lie in each patch, and where the first person's joints are; thrown away after this stage."""

    def __init__(self, width: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.patches, self.places = nn.Linear(width, len(JOINTS)), nn.Linear(width, 2 * len(JOINTS))
        nn.init.constant_(self.patches.bias, -3.0)

    def forward(self, tokens: Tensor, joints: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Losses for tokens [n, 1 + k, width] of the patches kept, int64 [n, k], and joints [n, people, 19, 2] in 0..1.

        Joints are NaN where nobody is.
        """
        n, people, count, _ = joints.shape
        cells = torch.nan_to_num(joints * self.grid, nan=NOWHERE).floor()
        inside = ((cells >= 0) & (cells < self.grid)).all(-1)
        cell = torch.where(inside, cells[..., 1] * self.grid + cells[..., 0], self.grid**2).long()
        want = torch.zeros(n, self.grid**2 + 1, count)
        for person in range(people):
            want.scatter_(1, cell[:, person].unsqueeze(1), 1.0)
        want = want.gather(1, kept.unsqueeze(-1).expand(-1, -1, count))
        patches = F.binary_cross_entropy_with_logits(self.patches(tokens[:, 1:]), want, pos_weight=torch.tensor(RARE))
        first = joints[:, 0]
        seen = ((first > -0.1) & (first < 1.1)).all(-1, keepdim=True).float()
        off = F.smooth_l1_loss(self.places(tokens[:, 0]).view(n, count, 2), torch.nan_to_num(first).clamp(-1, 2),
                               reduction="none", beta=0.05)
        return patches, (off * seen).sum() / (2 * seen.sum().clamp(min=1))


def choose_patches(joints: Tensor, grid: int, count: int, generator: torch.Generator) -> Tensor:
    """int64 [n, count] patches of a grid x grid picture: those next to joints [n, people, 19, 2] in 0..1, and some others."""
    middle = (torch.arange(grid) + 0.5) / grid
    centres = torch.cartesian_prod(middle, middle).flip(-1)  # row by row, as x and y
    points = torch.nan_to_num(joints.flatten(1, 2), nan=NOWHERE)
    near = torch.cdist(centres.expand(len(points), -1, -1), points).amin(-1)
    noise = torch.rand(near.shape, generator=generator)
    return (near + noise / grid).topk(count, largest=False).indices


def seen_tokens(tower: VisionTower, pixels: Tensor, kept: Tensor) -> Tensor:
    """tower.tokens of the kept patches [n, k] alone: [n, 1 + k, width]."""
    patches = tower.conv1(pixels).flatten(2).transpose(1, 2) + tower.positional_embedding[1:]
    patches = patches.gather(1, kept.unsqueeze(-1).expand(-1, -1, patches.shape[-1]))
    first = (tower.class_embedding + tower.positional_embedding[0]).expand(len(patches), 1, -1)
    return tower.transformer(tower.ln_pre(torch.cat([first.to(patches.dtype), patches], 1)))


class Frames:
    """Single frames of a split with captions, drawn by step."""

    def __init__(self, split: Split, tokenizer: Tokenizer, config: PretrainConfig, size: int) -> None:
        self.split, self.tokenizer, self.config, self.size = split, tokenizer, config, size

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised pixels [batch, 3, size, size], joints [batch, 2, 19, 2] and token ids of the captions."""
        rng = np.random.default_rng([self.config.seed, step])
        clips = rng.integers(len(self.split), size=self.config.batch)
        at = rng.integers(8, size=self.config.batch)
        pictures = torch.from_numpy(np.stack([self.split.frames(c)[f] for c, f in zip(clips, at, strict=True)]))
        joints = np.stack([self.split.joints(c)[f] for c, f in zip(clips, at, strict=True)])
        crops = [draw_crop(rng, j, SIZE) for j in joints]
        moved = torch.from_numpy(np.stack([move_joints(j, c) for j, c in zip(joints, crops, strict=True)]))
        facts = [self.split.facts[c] for c in clips]
        texts = [caption(rng, f["shows"][i], f["place"], f["light"]) for f, i in zip(facts, at, strict=True)]
        return relight(rng, look_at(pictures, crops, self.size)), moved, self.tokenizer.batch(texts)


def clip_loss(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """CLIP's loss in both directions, with targets shared among captions of like meaning; unit vectors [n, dim]."""
    want = (texts @ texts.T * LIKENESS).softmax(-1)
    logits = images @ texts.T * scale
    both = [-(want * side.log_softmax(-1)).sum(-1).mean() for side in (logits, logits.T)]
    return sum(both) / 2 + 2 * (1 - (images * texts).sum(-1).mean())


def pretrain(model: Froster, split: Split, tokenizer: Tokenizer, config: PretrainConfig) -> None:
    """Trains model.visual and model.logit_scale in place."""
    torch.manual_seed(config.seed)
    heads = JointHeads(model.dims.vision_width, model.dims.image_size // model.dims.patch_size)
    trained = [*model.visual.parameters(), *heads.parameters(), model.logit_scale]
    optimizer = torch.optim.AdamW(trained, config.lr, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: warm_cosine(s, steps=config.steps, warmup=config.warmup, least=0.01))
    draw, progress = Frames(split, tokenizer, config, model.dims.image_size), Progress("pretraining", config.steps)
    generator = torch.Generator().manual_seed(config.seed)
    for step in range(config.steps):
        pixels, joints, ids = draw(step)
        count = config.kept if step < (1 - config.whole) * config.steps else heads.grid**2
        kept = choose_patches(joints, heads.grid, count, generator)
        with torch.no_grad():
            texts = F.normalize(model.encode_text(ids), dim=-1)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            tokens = model.visual.ln_post(seen_tokens(model.visual, pixels, kept))
            images = tokens[:, 0] @ model.visual.proj
        images = F.normalize(images.float(), dim=-1)
        patches, places = heads(tokens.float(), joints, kept)
        words = clip_loss(images, texts, model.logit_scale.exp())
        optimizer.zero_grad(set_to_none=True)
        (words + config.joints * (patches + 2 * places)).backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        model.logit_scale.data.clamp_(max=math.log(100))
        progress(step, words=words.item(), patches=patches.item(), places=places.item(),
                 cosine=(images * texts).sum(-1).mean().item())
