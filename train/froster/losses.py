"""FROSTER's losses."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_targets(labels: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
    """labels int64 [b] to float32 [b, classes], rows of sum 1; smoothing is spread over all classes."""
    off = smoothing / classes
    out = torch.full((len(labels), classes), off, device=labels.device)
    return out.scatter_(1, labels[:, None], 1 - smoothing + off)


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch of -sum(target * log softmax(logits)); both [b, classes]."""
    return -(targets * F.log_softmax(logits.float(), -1)).sum(-1).mean()


def distillation(projected: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 - cosine over all vectors of [..., dim]; no gradient goes to the teacher's."""
    return 1 - F.cosine_similarity(projected, teacher.detach(), dim=-1).mean()
