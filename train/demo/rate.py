"""The learning rate of the demo's own stages."""

import math


def warm_cosine(step: int, *, steps: int, warmup: int, least: float = 0.0) -> float:
    """Share of the peak rate at a step: a linear warm-up, and a cosine down to `least` over all steps."""
    return min(1.0, (step + 1) / warmup) * (least + (1 - least) * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
