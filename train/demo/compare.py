"""Does the recipe do what the paper says? python -m demo.compare FOLDER, after demo.make made FOLDER.

Frozen CLIP, plain fine-tuning and FROSTER on the same held-out clips, over seeds: base, novel and their harmonic mean, each with a
95% confidence interval of the mean (Student's t). Fine-tuning differs from FROSTER in the distillation alone.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from demo.dataset import Split
from demo.make import Paths, Plan, load, make_froster
from demo.measure import measure
from demo.words import TASKS
from froster.model import from_state
from froster.tokenizer import Tokenizer

STUDENT_T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}  # two-sided 95%, by the number of seeds
SHOWN = ("base", "novel", "harmonic")


def interval(values: list[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95% confidence interval."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)), STUDENT_T.get(len(values), 1.96) * spread / len(values) ** 0.5


def compare(folder: Path, task_name: str, *, seeds: int, epochs: int, most: int) -> dict:
    """For each arm a list of scores, one for each seed; what is there already is not done again."""
    paths, task, tokenizer = Paths(folder), TASKS[task_name], Tokenizer()
    file, test = folder / f"compare-{epochs}-{most}.json", Split(folder / "test")
    got = json.loads(file.read_text()) if file.exists() else {}
    got["clip"] = [measure(load(paths.clip), test, task, tokenizer, temporal=False)["class_texts"]]
    for seed in range(seeds):
        for arm, distil in (("fine-tuned", False), ("froster", True)):
            if len(got.setdefault(arm, [])) > seed:
                continue
            recipe = replace(Plan.recipe, epochs=epochs, average_from=min(2, epochs), seed=seed, distil=distil)
            state = make_froster(recipe, paths, task, tokenizer, f"compare-{epochs}-{most}-{arm}-{seed}", most=most)
            got[arm].append(measure(from_state(state), test, task, tokenizer)["class_texts"])
            file.write_text(json.dumps(got, indent=1) + "\n")
            print(arm, seed, {k: round(100 * got[arm][-1][k], 1) for k in SHOWN}, flush=True)
    return got


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=Plan.recipe.epochs)
    parser.add_argument("--per-class", type=int, default=0, help="clips of each base action; 0: all")
    args = parser.parse_args()
    got = compare(args.folder, args.task, seeds=args.seeds, epochs=args.epochs, most=args.per_class)
    for arm, runs in got.items():
        cells = [interval([100 * r[k] for r in runs]) for k in SHOWN]
        print(f"{arm:12}", "  ".join(f"{k} {mean:.1f} ± {half:.1f}" for k, (mean, half) in zip(SHOWN, cells, strict=True)))


if __name__ == "__main__":
    main()
