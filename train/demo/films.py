"""The demo's cameras: a staged film each, and a list of what it shows when: python -m demo.films FOLDER.

640 x 360 at 15 frames a second, H.264, a keyframe every two seconds. Everything follows from the film's number.
"""

import argparse
import json
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from demo.actions import ACTIONS, staged
from demo.motions.parts import Play, breathe, ease, shown, upright
from demo.scene import Scene
from demo.skeleton import Body, Pose, mix
from demo.stage import Take

WIDTH, HEIGHT, RATE = 640, 360, 15
SETTLE = 0.8  # seconds in which people pass from standing to what they do

# What a frame shows, by the key of the action that it is a label of.
LABELS = {"tilt": "fall", "atfence": "stand", "carry": "box", "cycle": "bicycle", "fours": "crawl", "armsup": "handsup",
          "halfsit": "sit"}


@dataclass(frozen=True)
class Film:
    """One camera. With `only`, people stand before and after these seconds and act between them."""

    name: str
    number: int
    action: str
    place: str
    light: str
    seconds: float
    at: float | None = None
    only: tuple[float, float] | None = None
    beside: str = ""  # a thing that stands there and plays no part


FILMS = (
    Film("corridor_fall", 12, "fall", "corridor", "indoor cold", 22, at=9.0),
    Film("room_fall", 21, "fall", "living room", "indoor warm", 22, at=10.5),
    Film("yard_fence", 22, "fence", "yard", "day", 23, at=9.0),
    Film("street_fence", 22, "fence", "street", "dusk", 23, at=8.0),
    Film("street_fight", 7, "fight", "street", "overcast", 30, only=(9.0, 21.0)),
    Film("office_sit", 6, "sit", "office", "indoor cold", 24),
    Film("warehouse_box", 7, "box", "warehouse", "indoor cold", 24),
    Film("yard_beside_fence", 18, "walk", "yard", "day", 26, beside="fence"),
    Film("yard_empty", 9, "empty", "yard", "overcast", 20, beside="fence"),
    Film("yard_ladder", 10, "ladder", "yard", "day", 22),
)


def play(film: Film, times: np.ndarray) -> Play:
    """What happens in a film at times (frames,)."""
    rng = np.random.default_rng([5, film.number])
    made = ACTIONS[film.action](rng, times, at=film.at)
    return _between(rng, made, times, *film.only) if film.only else made


def _between(rng: np.random.Generator, made: Play, times: np.ndarray, start: float, end: float) -> Play:
    """The play with its people standing before start and after end, where they are at these moments."""
    people = []
    for body, pose in made.people:
        before, after = (_standing(rng, body, pose, times, int(np.searchsorted(times, moment))) for moment in (start, end))
        acting = mix(before, pose, ease(times, start - SETTLE / 2, SETTLE))
        people.append((body, mix(acting, after, ease(times, end - SETTLE / 2, SETTLE))))
    return Play(shown(times, "stand", (start, made.shows[0]), (end, "stand")), people, made.things)


def _standing(rng: np.random.Generator, body: Body, pose: Pose, times: np.ndarray, frame: int) -> Pose:
    still = upright(body, len(times))
    breathe(still, times, rng)
    return still.moved(pose.pelvis[frame] * (1, 0, 1), float(pose.turn[frame, 0]))


def scene(film: Film, times: np.ndarray) -> Scene:
    from demo.render import frame_camera, sample_look  # noqa: PLC0415 - where OpenGL may not be
    from demo.scene import core, stand_by  # noqa: PLC0415

    take, shows = staged(film.action, play(film, times), times)
    rng = np.random.default_rng([5, film.number, 1])
    look = replace(sample_look(rng, film.place, film.light), weather="none")
    if film.beside:
        take = replace(take, things=[*take.things, stand_by(rng, take, film.beside)])
    # People stay within the middle square, which is what the model sees of a wide picture.
    camera = frame_camera(rng, core(take), fill=(0.75, 0.85))
    return Scene(take, shows, look, replace(camera, aspect=WIDTH / HEIGHT))


def labels(film: Film, take: Take, shows: np.ndarray) -> dict:
    """What the film shows when, in the form of the demo's labels.json."""
    keys = [LABELS.get(s, s) for s in shows]
    cuts = [0, *[i for i in range(1, len(keys)) if keys[i] != keys[i - 1]], len(keys)]
    spans = [{"action": keys[a], "start_s": round(a / RATE, 3), "end_s": round(b / RATE, 3)} for a, b in pairwise(cuts)]
    return {"scene": film.place, "light": film.light, "seconds": len(keys) / RATE, "fps": RATE, "labels": spans}


def encode(frames: np.ndarray, file: Path) -> None:
    """uint8 (frames, HEIGHT, WIDTH, 3) to an MP4."""
    import av  # noqa: PLC0415 - not needed where films are only staged

    with av.open(str(file), "w") as container:
        options = {"crf": "27", "preset": "veryslow", "g": str(2 * RATE), "bf": "0"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def make(folder: Path, names: tuple[str, ...] = ()) -> None:
    """Renders the films, or those named, and writes labels.json for all of them."""
    os.environ.setdefault("LP_NUM_THREADS", "2")
    from demo.render import Renderer  # noqa: PLC0415
    from demo.scene import draw  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    renderer, shown_when = Renderer(WIDTH, HEIGHT), {}
    for film in FILMS:
        times = np.arange(round(film.seconds * RATE)) / RATE
        made = scene(film, times)
        shown_when[f"{film.name}.mp4"] = labels(film, made.take, made.shows)
        if not names or film.name in names:
            encode(draw(renderer, made, np.random.default_rng([5, film.number, 2])), folder / f"{film.name}.mp4")
            print(f"{film.name}: {film.seconds} s", flush=True)
    renderer.release()
    (folder / "labels.json").write_text(json.dumps(shown_when, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--film", action="append", default=[], help="only this one; repeatable")
    args = parser.parse_args()
    make(args.folder, tuple(args.film))


if __name__ == "__main__":
    main()
