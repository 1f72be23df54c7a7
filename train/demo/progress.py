"""Lines that tell how far a long step is."""

import time


class Progress:
    """Prints at most one line every few seconds, with running means of what it is given."""

    def __init__(self, what: str, steps: int, every: float = 15.0) -> None:
        self.what, self.steps, self.every = what, steps, every
        self.began = self.last = time.monotonic()
        self.means: dict[str, float] = {}

    def __call__(self, step: int, **values: float) -> None:
        for name, value in values.items():
            self.means[name] = 0.95 * self.means.get(name, value) + 0.05 * value
        now = time.monotonic()
        if now - self.last >= self.every or step + 1 == self.steps:
            self.last = now
            shown = " ".join(f"{name} {value:.3f}" for name, value in self.means.items())
            print(f"{self.what} {step + 1}/{self.steps} {now - self.began:.0f} s {shown}", flush=True)
