"""Times the official FROSTER code and Frostwatch in turn, on the same weights.

    python bench/compare.py --froster CHECKOUT [--weights FILE.pth] [--frostwatch ./frostwatch]

Both use all cores. Without --weights they are random ones of OpenAI's ViT-B/16,
which take as long as trained ones. What is printed are medians over the rounds,
and ratios within a round, so that other load on the machine falls on both.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import official

LABELS = ["a person falling down", "two people fighting", "climbing over a fence", "somebody riding a bicycle indoors",
          "leaving a bag behind", "opening a window", "smoking", "carrying a ladder"]
TEMPLATES = [f"{kind} {middle}{{}}." for kind in ("a photo of", "a video of", "a example of", "a demonstration of")
             for middle in ("", "a person ", *(f"a person {verb} " for verb in ("using", "doing", "during", "performing", "practicing")))]


def rate(things, seconds, run):
    """Things a second, over at least the given time, after one run to warm up."""
    run()
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        run()
        done += things
    return done / (time.perf_counter() - begun)


class Official:
    """The official code in this process, in float32."""

    def __init__(self, checkout, weights, architecture, seed, folder):
        self.module, tokenizer = official.open_checkout(checkout)
        if weights is None:
            weights = pathlib.Path(folder) / "random.pth"
            state = official.random_state(self.module, architecture, seed)
            torch.save({"model_state": {"model." + name: v for name, v in state.items()}}, weights)
        self.weights = weights
        self.network = official.build(self.module, official.student_state(weights))
        size = self.network.visual.input_resolution
        self.clip = torch.randn(official.FRAMES, 3, size, size)
        texts = [t.format(label) for label in LABELS for t in TEMPLATES] + LABELS
        self.texts = official.tokens(tokenizer, texts)

    def measure(self, seconds):
        with torch.inference_mode():
            clips = rate(1, seconds, lambda: self.network.encode_image(self.clip))
            texts = rate(len(self.texts), seconds, lambda: self.network.encode_text(self.texts))
        return clips, texts


def frostwatch(program, weights, seconds):
    """One round of `frostwatch bench infer`, by precision."""
    out = subprocess.run([program, "bench", "infer", "--json", "--for", f"{seconds}s", "--rounds", "1", "--checkpoint", str(weights)],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {m["precision"]: m for m in json.loads(out.stdout)["infer"]["models"]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--froster", required=True, help="checkout of Visual-AI/FROSTER")
    p.add_argument("--weights", help="a FROSTER checkpoint; default: random weights")
    p.add_argument("--architecture", default="ViT-B/16", choices=official.ARCHITECTURES, help="of random weights")
    p.add_argument("--frostwatch", default="./frostwatch", help="the program")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=10, help="of each measurement")
    args = p.parse_args()
    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as folder:
        theirs = Official(args.froster, args.weights, args.architecture, 1, folder)
        rounds = []
        for n in range(args.rounds):
            print(f"round {n + 1} of {args.rounds}", file=sys.stderr)
            clips, texts = theirs.measure(args.seconds)
            rounds.append((clips, texts, frostwatch(args.frostwatch, theirs.weights, args.seconds)))
    report(rounds)


def report(rounds):
    middle = statistics.median
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}")
    print(f"official float32     {middle(r[0] for r in rounds):8.3f} clips/s  {middle(r[1] for r in rounds):8.1f} texts/s")
    for precision in rounds[0][2]:
        clips = [(m[precision]["clips"][-1]["clips_per_s"], m[precision]["clips"][-1]["share_of_matmul"], official_clips)
                 for official_clips, _, m in rounds]
        print(f"Frostwatch {precision:9} {middle(c for c, _, _ in clips):8.3f} clips/s  "
              f"{middle(c / o for c, _, o in clips):5.2f} times the official ({min(c / o for c, _, o in clips):.2f} to {max(c / o for c, _, o in clips):.2f}), "
              f"{100 * middle(s for _, s, _ in clips):.0f}% of what matrix products alone reach")
    texts = [(m["float32"]["texts_per_s"], t) for _, t, m in rounds]
    print(f"Frostwatch texts     {'':8}          {middle(a for a, _ in texts):8.1f} texts/s, "
          f"{middle(a / o for a, o in texts):.2f} times the official ({min(a / o for a, o in texts):.2f} to {max(a / o for a, o in texts):.2f})")


if __name__ == "__main__":
    main()
