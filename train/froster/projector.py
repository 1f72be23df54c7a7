"""The residual projector between the student's features and the teacher's."""

import torch
from torch import Tensor, nn

ALPHA = 0.1  # how much of the projection is added, in the official code


class Projector(nn.Sequential):
    """f + alpha * W2 gelu(W1 f).

    W2 starts at zero, so that at first the student is compared with the teacher as it is. Parameter names are those of
    FROSTER's checkpoints: 0.weight and 2.weight. The activation is the exact GELU, not CLIP's.
    """

    def __init__(self, dim: int, generator: torch.Generator | None = None, alpha: float = ALPHA) -> None:
        super().__init__(nn.Linear(dim, dim, bias=False), nn.GELU(), nn.Linear(dim, dim, bias=False))
        self.alpha = alpha
        nn.init.kaiming_normal_(self[0].weight, generator=generator)
        nn.init.zeros_(self[2].weight)

    def forward(self, features: Tensor) -> Tensor:
        """Unit features [..., dim] to features of the same shape, not unit again."""
        return features + self.alpha * super().forward(features)
