"""The learning rate over fractional epochs."""

import math


def learning_rate(epoch: float, *, peak: float, start: float, end: float, warmup: float, epochs: float) -> float:
    """The rate at a point of training, epoch in 0..epochs.

    Linear from start to peak over the warm-up, then half a cosine from peak to end: SlowFast's policy with
    COSINE_AFTER_WARMUP, which FROSTER's configurations set. The official code asks once a step, at
    epoch + step / steps.
    """
    if epoch < warmup:
        return start + (peak - start) * epoch / warmup
    if epochs <= warmup:
        return peak
    done = min(1.0, (epoch - warmup) / (epochs - warmup))
    return end + (peak - end) * 0.5 * (1 + math.cos(math.pi * done))
