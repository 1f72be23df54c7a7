"""What the project carries of the demo model: python -m demo.publish FOLDER OUT, after demo.make made FOLDER.

OUT gets frost-mini.pth, a checkpoint in FROSTER's layout, and frost-mini.json, its card.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from demo.make import Paths, figures, load
from demo.words import TASKS, Task
from froster import checkpoint
from froster.card import sha256
from froster.tokenizer import Tokenizer

NAME = "frost-mini"
TABLE, BITS = "token_embedding.weight", 6  # its rows move by at most 1.6%, and it packs into half the bytes
LICENCE = ("Apache-2.0, as the project. Trained on rendered pictures alone, made by train/demo, and on text vectors distilled from "
           "all-MiniLM-L6-v2 (Apache-2.0). No weights of FROSTER's or CLIP's authors were used.")
LIMITS = ("It knows drawn people in drawn places: its answers on real footage mean nothing.",
          "People must be large in the picture, a third of its height or more.",
          "A clip and the same clip backwards have the same embedding, as with every FROSTER.")


def coarse(x: Tensor, bits: int) -> Tensor:
    """The nearest numbers with so many significant bits, which a zip packs better."""
    mantissa, exponent = torch.frexp(x)
    return torch.ldexp((mantissa * 2**bits).round() / 2**bits, exponent)


def card(folder: Path, task: Task, file: Path) -> dict:
    """What is known about the model, for `frostwatch model import --card` and for people; measured is what the file is worth."""
    tokenizer, model, robust = Tokenizer(), checkpoint.load_model(file), folder / "robust.json"
    return {
        "name": NAME, "version": 3, "licence": LICENCE, "limits": list(LIMITS),
        "summary": f"A tiny FROSTER for the demo: {len(task.base)} actions of drawn people, made by the recipe of train/.",
        "base_classes": {k: w.text for k, w in task.base.items()},
        "novel_classes": {k: w.text for k, w in task.novel.items()},
        "unseen_wordings": {k: list(w.unseen) for k, w in task.all.items()},
        "logit_scale": float(model.logit_scale.detach().exp()), "how": json.loads((folder / "plan.json").read_text()),
        "measured": figures(load(Paths(folder).clip), model, Paths(folder), task, tokenizer),
        "robustness": json.loads(robust.read_text()) if robust.exists() else {},
        "sha256": sha256(file),
    }


def publish(folder: Path, out: Path, task: Task) -> None:
    state = load(Paths(folder).froster).state_dict()
    state[TABLE] = coarse(state[TABLE], BITS)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{NAME}.pth"
    checkpoint.save(file, state, float16=True, deflate=True)
    (out / f"{NAME}.json").write_text(json.dumps(card(folder, task, file), indent=1) + "\n")
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", choices=TASKS, default="small")
    args = parser.parse_args()
    publish(args.folder, args.out, TASKS[args.task])


if __name__ == "__main__":
    main()
