"""The demo's cameras: a staged film each, and a list of what it shows when: python -m demo.films FOLDER.

640 x 360 at 15 frames a second, H.264, a keyframe every two seconds. Everything follows from the film's number.
"""

import argparse
import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from demo import overlay
from demo.actions import staged
from demo.motions.parts import drift
from demo.render import Clothes, Renderer, frame_camera, sample_look
from demo.render.look import HAIR, SKIN
from demo.scene import Scene
from demo.stage import Take
from demo.staging import STAGES

WIDTH, HEIGHT, RATE = 640, 360, 15
NEAR = 4.0  # metres from the middle: who is farther away waits to come, or has gone
NOISE = 1.3  # of the sensor, levels of 255

# What a frame shows, by the key of the action that it is a label of.
LABELS = {"tilt": "fall", "atfence": "stand", "carry": "box", "cycle": "bicycle", "fours": "crawl", "armsup": "handsup",
          "halfsit": "sit", "squat": "stand"}


@dataclass(frozen=True)
class Film:
    """One camera.

    number: seed of what happens; at: when it happens and there: when somebody is to be seen, seconds; clock: the camera's at first;
    turn: degrees at which it hangs about the people, 90 looks along -z; shot: seed of its height and distance; dress: seed of the
    place; fill: share of the picture's middle square that the people take; high: metres up; sun: degrees from the camera's side.
    """

    name: str
    number: int
    action: str
    place: str
    light: str
    seconds: float
    clock: str
    at: float = 0.0
    there: tuple[float, float] = (0.0, 99.0)
    turn: float = 90.0
    shot: int = 0
    dress: int = 0
    fill: tuple[float, float] = (0.62, 0.78)
    high: tuple[float, float] = (2.2, 3.4)
    sun: float = 40.0
    cast: tuple[Clothes, ...] = ()
    exposure: float = 1.0
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)


def wear(shirt: tuple, trousers: tuple, skin: int, hair: int, *, girth: float = 1.0, sleeves: bool = True, long_hair: bool = False,
         shoes: tuple = (0.05, 0.045, 0.04), hat: tuple | None = None, vest: tuple | None = None) -> Clothes:  # fmt: skip
    """Clothes in linear RGB; skin and hair by their numbers in demo.render.look."""
    colours = [np.array(c, np.float32) for c in (shirt, trousers, shoes, SKIN[skin], HAIR[hair])]
    more = {k: None if v is None else np.array(v, np.float32) for k, v in (("hat", hat), ("vest", vest))}
    return Clothes(*colours, girth, sleeves, long_hair, **more)


FILMS = (
    Film("corridor_fall", 12, "fall", "corridor", "indoor cold", 23, "2026-11-28 14:03:22", 8.5, (1.5, 20.5), dress=12,
         cast=(wear((0.07, 0.30, 0.33), (0.06, 0.06, 0.08), 1, 1, girth=0.94, long_hair=True),)),
    Film("room_fall", 32, "fall", "living room", "indoor warm", 24, "2026-11-28 19:41:07", 8.5, (1.5, 22.0), dress=21,
         cast=(wear((0.28, 0.24, 0.17), (0.12, 0.13, 0.16), 0, 4, girth=1.12),)),
    Film("yard_fence", 22, "fence", "yard", "day", 22, "2026-11-28 11:16:45", 8.0, (1.0, 18.0), turn=35.0, dress=22,
         cast=(wear((0.10, 0.13, 0.17), (0.05, 0.08, 0.17), 2, 0, hat=(0.05, 0.05, 0.06)),)),
    Film("street_fence", 25, "fence", "street", "dusk", 22, "2026-11-28 16:52:10", 8.0, (1.0, 18.0), turn=158.0, dress=23,
         cast=(wear((0.42, 0.09, 0.07), (0.17, 0.15, 0.12), 0, 2, girth=0.95, long_hair=True),)),
    Film("street_fight", 7, "fight", "street", "overcast", 28, "2026-11-28 15:08:31", 8.5, (1.0, 27.0), shot=2, dress=31,
         high=(2.6, 3.6),
         cast=(wear((0.50, 0.47, 0.40), (0.08, 0.09, 0.12), 3, 0), wear((0.10, 0.20, 0.38), (0.20, 0.17, 0.13), 0, 3, girth=1.08))),
    Film("office_sit", 6, "sit", "office", "indoor cold", 24, "2026-11-28 09:27:54", dress=6,
         cast=(wear((0.40, 0.16, 0.22), (0.09, 0.09, 0.11), 2, 0, girth=0.96, long_hair=True),)),
    Film("warehouse_box", 7, "box", "warehouse", "indoor cold", 24, "2026-11-28 10:12:36", shot=1, dress=7,
         cast=(wear((0.11, 0.14, 0.20), (0.08, 0.09, 0.11), 1, 1, girth=1.06, vest=(0.75, 0.33, 0.03)),)),
    Film("yard_beside_fence", 18, "walk", "yard", "day", 20, "2026-11-28 12:34:18", dress=18,
         cast=(wear((0.35, 0.30, 0.10), (0.08, 0.12, 0.22), 0, 3, girth=0.93, long_hair=True),
               wear((0.13, 0.13, 0.14), (0.20, 0.19, 0.17), 4, 0, girth=1.05))),
    Film("yard_empty", 9, "empty", "yard", "overcast", 20, "2026-11-28 07:58:02", dress=9),
    Film("yard_ladder", 10, "ladder", "yard", "day", 28, "2026-11-28 13:20:49", 6.5, (1.0, 27.0), turn=102.0, dress=10,
         cast=(wear((0.45, 0.45, 0.42), (0.06, 0.09, 0.18), 0, 1, girth=1.05, hat=(0.75, 0.45, 0.03)),)),
)


def _sun(film: Film) -> np.ndarray:
    """From beside the camera, so that what it sees is lit and no wall's shadow lies before the people."""
    turn, lift = np.radians([film.turn + film.sun, 52.0])
    return np.array([np.cos(turn) * np.cos(lift), np.sin(lift), np.sin(turn) * np.cos(lift)], np.float32)


def scene(film: Film) -> tuple[Scene, Take]:
    """All frames of a film, and the take that its place is built around: what the camera is hung for."""
    times = np.arange(round(film.seconds * RATE)) / RATE
    made = STAGES[film.name](film, times)
    take, shows = staged(film.action, made.play, times)
    kept = (times >= made.focus[0]) & (times < made.focus[1])
    acting = [a for a in take.actors if np.abs(a.joints[kept, 0]).max() < NEAR]
    around = replace(take, times=times[kept], actors=[replace(a, joints=a.joints[kept]) for a in acting], things=[])
    look = sample_look(np.random.default_rng([5, film.dress]), film.place, film.light)
    look = replace(look, weather="none", clothes=film.cast or look.clothes, sun=_sun(film))
    # People act within the middle square, which is what the model sees of a wide picture.
    camera = frame_camera(np.random.default_rng([5, film.shot]), around, film.high, film.fill, turn=float(np.radians(film.turn)))
    take = replace(take, things=[*take.things, *made.stands])
    return Scene(take, shows, look, replace(camera, aspect=WIDTH / HEIGHT)), around


def draw(renderer: Renderer, film: Film, made: Scene, around: Take) -> np.ndarray:
    """uint8 (frames, height, width, 3) as the camera delivers them: darker at the edges, noisy, clouds before the sun."""
    rng = np.random.default_rng([5, film.number, 2])
    frames = renderer.render(made.take, made.look, made.camera, around)
    high, wide = frames.shape[1:3]
    v, u = np.meshgrid(np.linspace(-1, 1, high), np.linspace(-1, 1, wide), indexing="ij")
    gain = ((1 - 0.08 * (u * u + v * v))[..., None] * np.array(film.white) * film.exposure).astype(np.float32)
    noise = NOISE * rng.standard_normal((6, high + 16, wide + 16, 3), np.float32) + 0.5
    light = np.ones(len(frames)) if made.look.indoor else 1 + 0.05 * drift(rng, made.take.times, 0.03, 0.12)
    for frame, now in zip(frames, light, strict=True):
        k, y, x = rng.integers(6), *rng.integers(16, size=2)
        frame[:] = np.clip(frame * (gain * np.float32(now)) + noise[k, y : y + high, x : x + wide], 0, 255)
    return frames


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
        options = {"crf": "27", "preset": "slow", "g": str(2 * RATE), "bf": "0"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def make(folder: Path, names: tuple[str, ...] = ()) -> None:
    """Renders the films, or those named, and writes labels.json for all of them."""
    os.environ.setdefault("LP_NUM_THREADS", "2")
    folder.mkdir(parents=True, exist_ok=True)
    renderer, shown_when = Renderer(WIDTH, HEIGHT, fine=True), {}
    for film in FILMS:
        made, around = scene(film)
        shown_when[f"{film.name}.mp4"] = labels(film, made.take, made.shows)
        if not names or film.name in names:
            frames = draw(renderer, film, made, around)
            overlay.write(frames, film.name, datetime.fromisoformat(film.clock), RATE)
            encode(frames, folder / f"{film.name}.mp4")
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
