"""Does the recipe do what the paper says? python -m demo.compare FOLDER, after demo.make made FOLDER.

Frozen CLIP, plain fine-tuning and FROSTER on the same held-out clips, over seeds: base, novel and their harmonic mean, each with a
95% confidence interval of the mean (Student's t). Fine-tuning differs from FROSTER in the distillation alone.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from demo.dataset import Split
from demo.make import Paths, Plan, load, make_froster
from demo.measure import measure
from demo.words import TASKS, Task
from froster.model import from_state
from froster.tokenizer import Tokenizer

STUDENT_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)  # two-sided 95%, of 2 to 10 seeds
SHOWN = ("base", "novel", "harmonic")
ARMS = {"fine-tuned": False, "froster": True}  # and whether it distils


@dataclass(frozen=True)
class Comparison:
    """Runs of one length. Each leaves its scores in the folder and is not done again."""

    folder: Path
    task: Task
    tokenizer: Tokenizer
    epochs: int
    most: int  # clips of each base action; 0: all

    @property
    def name(self) -> str:
        return f"compare-{self.epochs}-{self.most}"

    def frozen(self) -> dict:
        """The scores of the CLIP that both arms begin with, frame by frame."""
        return measure(load(Paths(self.folder).clip), self._test(), self.task, self.tokenizer, temporal=False)["class_texts"]

    def run(self, arm: str, seed: int) -> dict:
        """The scores of an arm by a seed."""
        run = f"{self.name}-{arm}-{seed}"
        file = self.folder / f"{run}.json"
        if file.exists():
            return json.loads(file.read_text())
        recipe = replace(Plan.recipe, epochs=self.epochs, average_from=min(2, self.epochs), seed=seed, distil=ARMS[arm])
        state = make_froster(recipe, Paths(self.folder), self.task, self.tokenizer, run, most=self.most)
        got = measure(from_state(state), self._test(), self.task, self.tokenizer)["class_texts"]
        file.write_text(json.dumps(got, indent=1) + "\n")
        return got

    def _test(self) -> Split:
        return Split(self.folder / "test")


def interval(values: list[float]) -> str:
    """Mean of up to 10 values and half the width of its 95% confidence interval; of one value there is none."""
    mean = f"{np.mean(values):.1f}"
    if len(values) == 1:
        return mean
    return f"{mean} ± {STUDENT_T[len(values) - 2] * np.std(values, ddof=1) / len(values) ** 0.5:.1f}"


def table(runs: dict[str, list[dict]]) -> Iterator[str]:
    """A line for each arm, and one for what distillation changed within each seed: the arms share clips, order and start."""
    gain = [{k: b[k] - a[k] for k in SHOWN} for a, b in zip(*(runs[arm] for arm in ARMS), strict=True)]
    for name, scores in (runs | {"difference": gain}).items():
        yield f"{name:12}" + "  ".join(f"{k} {interval([100 * s[k] for s in scores])}" for k in SHOWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="several processes may take some each")
    parser.add_argument("--epochs", type=int, default=Plan.recipe.epochs)
    parser.add_argument("--per-class", type=int, default=0, help="clips of each base action; 0: all")
    args = parser.parse_args()
    if len(args.seeds) > len(STUDENT_T) + 1:
        parser.error(f"{len(args.seeds)} seeds: want at most {len(STUDENT_T) + 1}")
    comparison = Comparison(args.folder, TASKS[args.task], Tokenizer(), args.epochs, args.per_class)
    runs: dict[str, list[dict]] = {arm: [] for arm in ARMS}
    for seed in args.seeds:
        for arm in ARMS:
            runs[arm].append(comparison.run(arm, seed))
            print(arm, seed, {k: round(100 * runs[arm][-1][k], 1) for k in SHOWN}, flush=True)
    print(*table({"frozen": [comparison.frozen()]} | runs), sep="\n")


if __name__ == "__main__":
    main()
