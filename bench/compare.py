"""Times the official FROSTER code and Frostwatch in turn, on the same weights.

    python bench/compare.py --froster CHECKOUT [--weights FILE.pth] [--frostwatch ./frostwatch] [--openvino]

With --openvino the official network is also run by OpenVINO, in float32 and, quantised
by NNCF, in int8. All use all cores. Without --weights they are random ones of OpenAI's ViT-B/16,
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
import warnings

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


def first(out):
    """The embedding of what the official network returns."""
    return out[0] if isinstance(out, (list, tuple)) else out


class OpenVINO:
    """The official network's clips as OpenVINO runs them, as many at once as it thinks best."""

    CALIBRATION = 8  # clips by which NNCF sets the ranges: of noise, since only the time is of interest

    def __init__(self, theirs):
        import nncf
        import openvino

        class Clip(torch.nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, clip):
                return first(self.network.encode_image(clip))

        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # the shape is fixed
        with torch.inference_mode():
            traced = torch.jit.trace(Clip(theirs.network), theirs.clip, check_trace=False)
        model = openvino.convert_model(traced, example_input=theirs.clip, input=list(theirs.clip.shape))
        clips = [torch.randn_like(theirs.clip).numpy() for _ in range(self.CALIBRATION)]
        small = nncf.quantize(model, nncf.Dataset(clips), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(clips))
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        core = openvino.Core()
        self.clip = theirs.clip.numpy()
        self.queues = {name: openvino.AsyncInferQueue(core.compile_model(m, "CPU", settings)) for name, m in (("float32", model), ("int8", small))}
        with torch.inference_mode():
            want = first(theirs.network.encode_image(theirs.clip)).flatten()
        got = torch.from_numpy(core.compile_model(model, "CPU", settings)(self.clip)[0]).flatten()
        self.cosine = torch.nn.functional.cosine_similarity(want, got, dim=0).item()

    def measure(self, seconds):
        """Clips a second, by precision."""
        return {name: rate(len(queue), seconds, lambda queue=queue: self._fill(queue)) for name, queue in self.queues.items()}

    def _fill(self, queue):
        for _ in range(len(queue)):
            queue.start_async(self.clip)
        queue.wait_all()


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
    p.add_argument("--openvino", action="store_true", help="run the official network by OpenVINO as well (pip install openvino nncf)")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=10, help="of each measurement")
    args = p.parse_args()
    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as folder:
        theirs = Official(args.froster, args.weights, args.architecture, 1, folder)
        other = OpenVINO(theirs) if args.openvino else None
        rounds = []
        for n in range(args.rounds):
            print(f"round {n + 1} of {args.rounds}", file=sys.stderr)
            clips, texts = theirs.measure(args.seconds)
            beside = other.measure(args.seconds) if other else {}
            rounds.append((clips, texts, frostwatch(args.frostwatch, theirs.weights, args.seconds), beside))
    report(rounds)
    if other:
        print(f"OpenVINO in float32 against the official embedding: cosine {other.cosine:.6f}")


def report(rounds):
    middle = statistics.median
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}")
    print(f"official float32     {middle(r[0] for r in rounds):8.3f} clips/s  {middle(r[1] for r in rounds):8.1f} texts/s")
    for precision in rounds[0][2]:
        clips = [(m[precision]["clips"][-1]["clips_per_s"], m[precision]["clips"][-1]["share_of_matmul"], official_clips)
                 for official_clips, _, m, _ in rounds]
        print(f"Frostwatch {precision:9} {middle(c for c, _, _ in clips):8.3f} clips/s  "
              f"{middle(c / o for c, _, o in clips):5.2f} times the official ({min(c / o for c, _, o in clips):.2f} to {max(c / o for c, _, o in clips):.2f}), "
              f"{100 * middle(s for _, s, _ in clips):.0f}% of what matrix products alone reach")
    for precision in rounds[0][3]:
        clips = [(o[precision], official_clips, m[precision]["clips"][-1]["clips_per_s"] if precision in m else None) for official_clips, _, m, o in rounds]
        beside = [ours / theirs for theirs, _, ours in clips if ours is not None]
        print(f"OpenVINO {precision:12} {middle(c for c, _, _ in clips):8.3f} clips/s  {middle(c / o for c, o, _ in clips):5.2f} times the official"
              + (f"; Frostwatch is {middle(beside):.2f} times it ({min(beside):.2f} to {max(beside):.2f})" if beside else ""))
    texts = [(m["float32"]["texts_per_s"], t) for _, t, m, _ in rounds]
    print(f"Frostwatch texts     {'':8}          {middle(a for a, _ in texts):8.1f} texts/s, "
          f"{middle(a / o for a, o in texts):.2f} times the official ({min(a / o for a, o in texts):.2f} to {max(a / o for a, o in texts):.2f})")


if __name__ == "__main__":
    main()
