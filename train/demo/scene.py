"""One rendered clip from a seed: an action, where it happens, what else stands there, and the camera that sees it."""

from dataclasses import dataclass, replace

import numpy as np

from demo.actions import perform
from demo.motions.parts import thing
from demo.render import Camera, Look, Renderer, frame_camera, grade, project, sample_grade, sample_look
from demo.render.look import PLACES
from demo.skeleton import rotation
from demo.stage import Take, Thing

# FROSTER's frames: every sixteenth of 128 at 30 frames a second, as linspace(0, 127, 8) floored.
TIMES = np.floor(np.linspace(0, 127, 8)) / 30
HELD_OUT = ("gym", "park")  # places that no model is trained in: the "other backgrounds" of the measurements
SEEN = tuple(p for p in PLACES if p not in HELD_OUT)
BYSTANDERS = ("chair", "fence", "ladder", "box", "bicycle", "bag", "table", "broom")  # things that alone must not decide
CORE = 2.2  # metres of a path that a picture should at least hold


@dataclass(frozen=True)
class Scene:
    """All that a picture is drawn from. shows (frames,) says what each frame shows."""

    take: Take
    shows: np.ndarray
    look: Look
    camera: Camera


def sample_scene(rng: np.random.Generator, action: str, times: np.ndarray = TIMES, places: tuple[str, ...] = SEEN,
                 beside: bool = False) -> Scene:
    """A scene drawn from rng; times (frames,) in seconds. With beside, a thing stands right beside the people, mostly a fence."""
    take, shows = perform(action, rng, times)
    look = sample_look(rng, str(rng.choice(places)))
    if beside:
        kind = "fence" if rng.random() < 0.7 else str(rng.choice(BYSTANDERS))
        take = replace(take, things=[*take.things, stand_by(rng, take, kind, (0.05, 0.6))])
    elif action != "empty" and rng.random() < 0.4:
        take = replace(take, things=[*take.things, stand_by(rng, take, str(rng.choice(BYSTANDERS)))])
    camera = frame_camera(rng, core(take), fill=(0.6, 0.95))
    return Scene(take, shows, look, camera)


def core(take: Take) -> Take:
    """The take without the frames in which people who travel are far from the middle of their way."""
    if not take.actors:
        return take
    middle = np.mean([a.joints[:, 0] for a in take.actors], 0)[:, [0, 2]]
    away = np.linalg.norm(middle - np.median(middle, 0), axis=-1)
    order = np.argsort(away, kind="stable")
    kept = np.sort(order[: max(len(order) // 2, int((away <= CORE / 2).sum()))])
    return replace(take, times=take.times[kept], actors=[replace(a, joints=a.joints[kept]) for a in take.actors])


def draw(renderer: Renderer, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """uint8 (frames, height, width, 3), as a cheap camera delivers it."""
    frames = renderer.render(scene.take, scene.look, scene.camera)
    return grade(frames, rng, sample_grade(rng, scene.look.light))


def joints(scene: Scene, size: int, people: int = 2) -> np.ndarray:
    """Where joints are, float32 (frames, people, joints, 2) in pixels of a square picture; NaN where nobody is."""
    out = np.full((len(scene.take.times), people, 19, 2), np.nan, np.float32)
    pixels, _ = project(scene.take, scene.camera, size, size)
    n = min(people, pixels.shape[1])
    out[:, :n] = np.clip(pixels[:, :n], -4 * size, 4 * size)
    return out


def stand_by(rng: np.random.Generator, take: Take, kind: str, clear: tuple[float, float] = (0.7, 1.2)) -> Thing:
    """A thing beside the people's way, so many metres clear of it."""
    points = np.concatenate([a.joints[..., [0, 2]].reshape(-1, 2) for a in take.actors]) if take.actors else np.zeros((1, 2))
    centre = points.mean(0)
    reach = np.linalg.norm(points - centre, axis=-1).max()
    turn, far = rng.uniform(0, 2 * np.pi), reach + rng.uniform(*clear)
    # What is held by a grip has its origin there. A fence runs across the way to it, so that it never crosses the people.
    at = (centre[0] + far * np.cos(turn), {"bag": 0.32, "broom": 0.98}.get(kind, 0.0), centre[1] + far * np.sin(turn))
    yaw = -np.degrees(turn) if kind in ("fence", "ladder") else rng.uniform(0, 360)
    return thing(kind, len(take.times), at, rotation(np.array(yaw)))
