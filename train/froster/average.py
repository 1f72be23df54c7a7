"""The mean of the weights at the ends of epochs: what FROSTER publishes."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class WeightAverage:
    """Adds up state dicts of one shape, in float32 on the CPU."""

    count: int = 0
    total: dict[str, Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def add(self, state: dict[str, Tensor]) -> None:
        if self.count and self.total.keys() != state.keys():
            raise ValueError("average weights: the names differ between epochs")
        for name, value in state.items():
            if self.count:
                self.total[name] += value.detach().float().cpu()
            else:
                self.total[name] = value.detach().float().cpu().clone()
        self.count += 1

    def mean(self) -> dict[str, Tensor]:
        """New tensors. Raises where nothing was added."""
        if not self.count:
            raise ValueError("average weights: no epoch was added")
        return {name: value / self.count for name, value in self.total.items()}
