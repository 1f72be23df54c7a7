"""How often a measure reaches a height: happenings counted, thresholds that keep a budget, and a tail fitted to the highest."""

from dataclasses import dataclass

import numpy as np

GAP = 8  # windows; what reaches the height again within them is still the same happening


@dataclass(frozen=True)
class Past:
    """Values (n,) of windows in order and the hours (n,) that they are of; a happening never spans two. -inf counts for nothing.

    heights (n,) are the values from the highest on, and runs (n,) how many happenings reach each of them.
    """

    values: np.ndarray
    hour: np.ndarray
    heights: np.ndarray
    runs: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, hour: np.ndarray) -> "Past":
        order = np.argsort(-values, kind="stable")
        order = order[values[order] > -np.inf]
        over, count, runs = np.zeros(len(values), bool), 0, []
        for i in order:
            before, after = _near(over, hour, i)
            # It begins a happening, lengthens one, or joins two whose gap it lies in.
            count += 1 if not (before or after) else -1 if before and after and before + after > GAP else 0
            over[i] = True
            runs.append(count)
        return cls(values, hour, values[order], np.array(runs, int))

    def count(self, threshold: float) -> int:
        """Happenings that reach the threshold."""
        k = int((self.heights >= threshold).sum())
        return int(self.runs[k - 1]) if k else 0

    def threshold(self, most: float) -> float:
        """What so many happenings reach: half way to the next lower value, at which there would be more."""
        more = np.flatnonzero(self.runs > most)
        if not len(more):
            return float(self.heights[-1])
        return float(self.heights[max(0, more[0] - 1) : more[0] + 1].mean())

    def peaks(self, threshold: float) -> np.ndarray:
        """The highest value of each happening that reaches the threshold, (k,)."""
        over = np.flatnonzero(self.values >= threshold)
        new = (np.diff(over) > GAP) | (np.diff(self.hour[over]) != 0)
        return np.array([self.values[r].max() for r in np.split(over, np.flatnonzero(new) + 1) if len(r)])


def _near(over: np.ndarray, hour: np.ndarray, i: int) -> tuple[int, int]:
    """How many windows before and after i the nearest lies that is over, within GAP and the hour; 0 where there is none."""
    before = [d for d in range(1, GAP + 1) if i - d >= 0 and over[i - d] and hour[i - d] == hour[i]]
    after = [d for d in range(1, GAP + 1) if i + d < len(over) and over[i + d] and hour[i + d] == hour[i]]
    return before[0] if before else 0, after[0] if after else 0


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


def fit(past: Past, count: float) -> Tail:
    """By probability-weighted moments (Hosking, Wallis 1987) over some `count` peaks; the shape is kept within -0.5..0.3."""
    start = past.threshold(count)
    over = np.sort(past.peaks(start)) - start
    n, mean = len(over), over.mean()
    weighted = (over * (1 - (np.arange(1, n + 1) - 0.35) / n)).mean()
    shape = float(np.clip(2 - mean / (mean - 2 * weighted), -0.5, 0.3))
    return Tail(start, n, float(mean * (1 - shape)), shape)
