"""What never changes before one camera: where it hangs, how it sees, what stands there, and where people go."""

from dataclasses import dataclass

import numpy as np

from demo.days.sites import SITES, Site
from demo.motions.climbing import LADDER
from demo.motions.parts import thing
from demo.render import Camera, Grade, Look, frame_camera, sample_grade, sample_look
from demo.skeleton import rotation
from demo.stage import JOINTS, THINGS, Actor, Take, Thing

SEED = 7  # first number of every seed of these films; demo.dataset and demo.films have 1 to 6
EVENT_SEED = 8  # of the clips of staged events, which nothing else ever uses
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class View:
    """A camera before a stage about the origin. Vectors are (3,), in metres, as in demo.stage.

    around: what the place is built around; lane: level, the way people come and go; out: metres along it from which nobody is
    seen; room: how far from the origin people stand; stands: things of one frame; seats and beds: x, z, yaw in degrees;
    top: height of the fence that stands on x = 0, and lean: degrees of the ladder at the origin, None where there is none.
    """

    site: Site
    number: int
    camera: Camera
    around: Take
    look: Look
    grade: Grade
    lane: np.ndarray
    out: float
    room: float
    stands: tuple[Thing, ...]
    seats: tuple[tuple[float, float, float], ...]
    beds: tuple[tuple[float, float, float], ...]
    top: float | None
    lean: float | None

    def spot(self, rng: np.random.Generator) -> tuple[float, float]:
        """Where somebody stands: x, z, clear of the fence and the ladder, and on one side of the fence."""
        while True:
            x, z = rng.uniform(-self.room, self.room, 2)
            if self.top:
                return float(-0.55 - abs(x)), float(z)
            clear = all(np.hypot(x - a, z - b) > 0.6 for a, b, _ in self.seats) and all(
                np.hypot(x - a, z - b) > 1.25 for a, b, _ in self.beds)  # fmt: skip
            if clear and np.hypot(x, z) < self.room and not (self.lean is not None and np.hypot(x, z) < 0.55):
                return float(x), float(z)


def view_of(number: int) -> View:
    """The view of a site; all of it follows from the site's number."""
    site, rng = SITES[number], np.random.default_rng([SEED, number])
    room, tall = rng.uniform(0.75, 1.1), 2.5 if "ladder" in site.things else 1.85
    around = surrounded(room, tall, -0.45 if "fence" in site.things else 0.0)
    camera = frame_camera(rng, around, fill=(0.86, 0.97))
    while not suits(site, camera):
        camera = frame_camera(rng, around, fill=(0.86, 0.97))
    ahead = (camera.target - camera.eye) * (1, 0, 1)
    reach = float(np.linalg.norm(camera.eye * (1, 0, 1)))
    right = np.cross(ahead / np.linalg.norm(ahead), UP)
    lane = np.array([0.0, 0.0, 1.0]) if "fence" in site.things else right
    wide = (reach + 0.8) * np.tan(camera.fov / 2) + 0.7
    look = sample_look(rng, site.place)
    top = float(rng.uniform(1.40, 1.55)) if "fence" in site.things else None
    lean = float(rng.uniform(8, 15)) if "ladder" in site.things else None
    stands, seats, beds = furnish(rng, site, room, ahead, top=top, lean=lean)
    return View(site, number, camera, around, look, sample_grade(rng), lane, float(wide / max(abs(lane @ right), 0.6)), room,
                tuple(stands), tuple(seats), tuple(beds), top, lean)


def surrounded(room: float, tall: float, x: float = 0.0) -> Take:
    """A take of one frame whose only actor takes up all of the stage, whose middle is at x."""
    joints = np.zeros((1, len(JOINTS), 3), np.float32)
    for i in range(len(JOINTS)):
        joints[0, i] = x + room * (1 - 2 * (i & 1)), tall * (i >> 1 & 1), room * (1 - (i >> 1 & 2))
    return Take("empty", np.zeros(1), [Actor(joints, tall)])


def suits(site: Site, camera: Camera) -> bool:
    """A fence is seen neither end on nor quite from the front, a ladder not from behind."""
    x, _, z = camera.eye
    across = abs(x) / np.hypot(x, z)
    return ("fence" not in site.things or 0.45 < across < 0.9) and ("ladder" not in site.things or x < 0.5 * abs(z))


def furnish(rng: np.random.Generator, site: Site, room: float, ahead: np.ndarray, *, top: float | None,
            lean: float | None) -> tuple[list, list, list]:  # fmt: skip
    """Things that stand there, seats, beds: a bed on the far side, and a chair where there is room."""
    stands, seats, beds, turn = [], [], [], rng.uniform(0, 2 * np.pi)
    for kind in site.things:
        if kind == "fence":
            stands.append(thing(kind, 1, scale=(1, top / THINGS[kind][1], 1.1)))
            continue
        if kind == "ladder":
            stands.append(thing(kind, 1, turn=rotation(0.0, lean), scale=(1, LADDER / THINGS[kind][1], 1)))
            continue
        far, yaw = room * (0.6 if kind == "chair" else 1.15), rng.uniform(0, 360)
        x, z = far * np.cos(turn), far * np.sin(turn)
        if kind == "bed":
            x, _, z = (room + 0.75) * ahead / np.linalg.norm(ahead)
            yaw = float(np.degrees(np.arctan2(-ahead[2], ahead[0]))) + rng.choice((-90, 90)) + rng.uniform(-25, 25)
            turn = np.arctan2(-z, -x) + rng.uniform(-0.9, 0.9)  # of the chair
        if top:
            x = -abs(x) - 0.5
        turn += rng.uniform(1.6, 2.6)
        stands.append(thing(kind, 1, (x, 0, z), rotation(np.array(yaw))))
        if kind in ("chair", "bed"):
            (seats if kind == "chair" else beds).append((float(x), float(z), float(yaw)))
    return stands, seats, beds
