"""What `begins` and `ends` bring: python -m demo.direction FOLDER CHECKPOINT FILMS, as demo.contrast.

A clip and the same clip backwards have one embedding, but the means of the first and the last three frames change places. What
happens forwards is a label's event, backwards its opposite: who falls gets up, who sits down stands up.
"""

import argparse
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.contrast import Measures, Part, as_recorded, embed, filmed, rendered
from demo.dataset import SIZE
from demo.references import References, auroc
from froster import checkpoint

SITTING, COUNT = "sitting.npy", 120
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Label:
    """A label that says how it begins and ends; events are clips of `of`, backwards if so."""

    text: str
    begins: str
    ends: str
    of: str
    backwards: bool = False

    @property
    def texts(self) -> list[str]:
        return [self.begins, self.ends]


LABELS = (
    Label("falling down", "a person standing", "lying on the floor", "fall"),
    Label("getting up from the floor", "lying on the floor", "a person standing", "fall", True),
    Label("sitting down", "a person standing", "sitting on a chair", "sit down"),
    Label("standing up from a chair", "sitting on a chair", "a person standing", "sit down", True),
)


def render_sitting(file: Path) -> None:
    """Writes clips uint8 (COUNT, 8, SIZE, SIZE, 3) of people who sit down, unless they are there."""
    os.environ["LP_NUM_THREADS"] = "0"
    from demo.actions import staged  # noqa: PLC0415 - in a process of its own, as demo.dataset says
    from demo.motions.staying import sit_down  # noqa: PLC0415
    from demo.render import Renderer, frame_camera, sample_look  # noqa: PLC0415
    from demo.scene import SEEN, TIMES, Scene, draw  # noqa: PLC0415

    renderer, clips = Renderer(SIZE, SIZE, samples=0), []
    for i in range(COUNT):
        rng = np.random.default_rng([7, i])  # dataset.SPLITS begin otherwise
        take, shows = staged("sit down", sit_down(rng, TIMES), TIMES)
        look = sample_look(rng, str(rng.choice(SEEN)))
        clips.append(draw(renderer, Scene(take, shows, look, frame_camera(rng, take, fill=(0.6, 0.95))), rng))
    renderer.release()
    np.save(file, np.stack(clips))


def turned(frames: np.ndarray, backwards: bool) -> np.ndarray:
    """Frame embeddings [n, 8, dim] of the clips played backwards: attention does not tell a frame's next from its previous."""
    return frames[:, ::-1] if backwards else frames


def direction(frames: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """How far clips [n, 8, dim] go from one unit vector [dim] to the other, in similarities; its sign turns with the clip."""
    first, last = (as_recorded(x.mean(1)) for x in (frames[:, :3], frames[:, -3:]))
    return (last - first) @ (ends - begins)


def logits(m: Measures, label: Label, frames: np.ndarray, against: References, weight: float) -> np.ndarray:
    way = direction(frames, *m.of(label.texts))
    return against.logits(as_recorded(frames.mean(1)), m.of([label.text]), m.scale, weight * way)


def compare(m: Measures, label: Label, where: str, events: np.ndarray, others: np.ndarray) -> None:
    """Prints, by weight of the direction, AUROC of events against their reverse and against all other clips, and both."""
    against, ahead = m.references(len(m.sentences)), turned(events, label.backwards)
    way = direction(ahead, *m.of(label.texts))
    print(f"{label.text}, {where}: {len(events)} events, {len(others)} others; "
          f"direction median {np.median(way):.2f}, right in {100 * (way > 0).mean():.1f}%")
    for weight in WEIGHTS:
        event, reverse, other = (logits(m, label, x, against, weight) for x in (ahead, ahead[:, ::-1], others))
        print(f"  weight {weight:4}: reverse {auroc(event, reverse):.3f}  others {auroc(event, other):.3f}  "
              f"both {auroc(event, np.concatenate([reverse, other])):.3f}", flush=True)


def held_out(m: Measures, where: str, part: Part, sitting: np.ndarray) -> None:
    """Each label against all other clips of a part, and those of the other transition both ways."""
    falls = part.frames[part.positive["fall"]]
    for label in LABELS:
        events, change = (falls, sitting) if label.of == "fall" else (sitting, falls)
        others = [part.frames[part.negative["fall"]], change, change[:, ::-1]]
        compare(m, label, where, events, np.concatenate(others))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "checkpoint", "films"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    file = args.folder / SITTING
    if not file.exists():
        worker = multiprocessing.get_context("spawn").Process(target=render_sitting, args=(file,))
        worker.start()
        worker.join()
    model = checkpoint.load_model(args.checkpoint)
    m, sitting = Measures(model), embed(model, iter(np.load(file)))
    for where in ("test", "places"):
        held_out(m, where, rendered(model, args.folder, where), sitting)
    films = filmed(model, args.films)
    for label in LABELS[:2]:
        compare(m, label, "films", films.frames[films.positive["fall"]], films.frames[films.negative["fall"]])


if __name__ == "__main__":
    main()
