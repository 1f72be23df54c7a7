"""What a label is contrasted with, as the product does it (Go: scoring/references.go): base classes and neutral sentences."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

SENTENCES = Path(__file__).parents[2] / "infer" / "froster" / "references.txt"
CLOSER_THAN = 0.97  # of the pairs of reference texts: a text that is closer than that to a label is too close


@dataclass(frozen=True)
class References:
    """Unit vectors [n, dim] of the reference texts, and the cosine with a label from which on a text says about the same."""

    vectors: np.ndarray
    close: float

    def left_out(self, label: np.ndarray) -> np.ndarray:
        """Which texts are too close to a label's vectors [texts, dim]: bool [n]."""
        return (self.vectors @ label.T).max(-1) >= self.close

    def logits(self, clips: np.ndarray, label: np.ndarray, scale: float, direction: np.ndarray | float = 0.0) -> np.ndarray:
        """Logits [clips] of the contrast of clip embeddings [clips, dim]; direction is added to the similarity."""
        similar = (clips @ label.T).max(-1) + direction
        return scale * similar - log_sum(scale * clips @ self.vectors[~self.left_out(label)].T)


def references(vectors: np.ndarray, closer_than: float = CLOSER_THAN) -> References:
    """With closer_than 1, only a label's own text is left out."""
    cosines = np.sort((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)])
    close = cosines[int(np.ceil(closer_than * len(cosines))) - 1] if closer_than < 1 else 0.9999
    return References(vectors, float(close))


def log_sum(logits: np.ndarray) -> np.ndarray:
    """log of the sum of exponentials along the last axis."""
    top = logits.max(-1, keepdims=True)
    return (top + np.log(np.exp(logits - top).sum(-1, keepdims=True)))[..., 0]


def share(logits: np.ndarray) -> np.ndarray:
    """Logits to 0..1."""
    return 1 / (1 + np.exp(-logits))


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of pairs in which the positive has the higher score, ties counting half."""
    below = np.sort(negative)
    return float((np.searchsorted(below, positive, "left") + np.searchsorted(below, positive, "right")).mean() / (2 * len(below)))
