"""How often a measure reaches a height: happenings counted, thresholds that keep a budget, and a tail fitted to the highest."""

from dataclasses import dataclass

import numpy as np

GAP = 8  # windows; what reaches the height again within them belongs to the same happening


def peaks(values: np.ndarray, hour: np.ndarray, gap: int = GAP) -> np.ndarray:
    """Declustered peaks (k,), highest first: each is the highest of what is within gap windows of it, in the same hour.

    So many of them are at or above any height as there are happenings that reach it, but for what lies between two heights.
    """
    order, taken, out = np.argsort(-values, kind="stable"), np.zeros(len(values), bool), []
    for i in order:
        if np.isneginf(values[i]):
            break
        a, b = max(0, i - gap), i + gap + 1
        if not (taken[a:b] & (hour[a:b] == hour[i])).any():
            out.append(values[i])
        taken[i] = True
    return np.array(out)


def counted(peaks_: np.ndarray, threshold: float) -> int:
    return int((peaks_ >= threshold).sum())


def by_count(peaks_: np.ndarray, most: float) -> float:
    """The threshold that so many peaks reach: half way to the next lower one."""
    k = round(most)
    if len(peaks_) <= k:
        return float(peaks_.min() if len(peaks_) else np.inf)
    return float((peaks_[k - 1] + peaks_[k]) / 2)


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto distribution of what exceeds start, which `count` peaks did."""

    start: float
    count: int
    scale: float
    shape: float

    def threshold(self, most: float) -> float:
        """What is expected to be reached so often."""
        ratio = self.count / most
        if abs(self.shape) < 1e-6:
            return self.start + self.scale * float(np.log(ratio))
        return self.start + self.scale / self.shape * (ratio**self.shape - 1)


def fit(peaks_: np.ndarray, count: int) -> Tail:
    """By probability-weighted moments (Hosking, Wallis 1987) over the `count` highest peaks; the shape is kept within -0.5..0.3."""
    count = min(count, len(peaks_) - 1)
    start = float(peaks_[count])
    over = np.sort(peaks_[:count]) - start
    mean = over.mean()
    weighted = (over * (1 - (np.arange(1, count + 1) - 0.35) / count)).mean()
    shape = float(np.clip(2 - mean / (mean - 2 * weighted), -0.5, 0.3))
    return Tail(start, count, float(mean * (1 - shape)), shape)
