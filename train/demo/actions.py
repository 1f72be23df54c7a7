"""The actions by name: who performs each, and which a model learns and which it only meets as words.

A motion is `motion(rng, t, at=None) -> Play`: t (F,) are the times of the frames in seconds, rising, of any length and rate; at is
when what has a moment (a fall, a bag put down) happens, drawn within t where it is None. All that is drawn comes from rng, and
nothing depends on how many frames there are, so the same rng shows the same performance at any frame rate.
"""

from collections.abc import Callable

import numpy as np

from demo.motions import carrying, climbing, falling, meeting, moving, riding, staying
from demo.motions.parts import Play
from demo.skeleton import solve
from demo.stage import Actor, Take

Motion = Callable[..., Play]

ACTIONS: dict[str, Motion] = {
    "walk": moving.walk, "run": moving.run, "jump": moving.jump, "crawl": moving.crawl,
    "fence": climbing.climb_fence, "ladder": climbing.climb_ladder,
    "fall": falling.fall, "lie": falling.lie, "crouch": falling.crouch, "pickup": falling.pick_up,
    "stand": staying.stand, "sit": staying.sit, "wave": staying.wave, "handsup": staying.hands_up, "empty": staying.empty,
    "box": carrying.carry_box, "bag": carrying.leave_bag, "suitcase": carrying.pull_suitcase, "cart": carrying.push_cart,
    "sweep": carrying.sweep,
    "bicycle": riding.ride_bicycle, "kick": riding.kick_ball, "throw": riding.throw_ball,
    "fight": meeting.fight, "hug": meeting.hug, "shake": meeting.shake_hands,
}


def perform(action: str, rng: np.random.Generator, t: np.ndarray, at: float | None = None) -> tuple[Take, np.ndarray]:
    """The take of an action at times t, and what each of its frames shows (a key of demo.words.FRAMES)."""
    return staged(action, ACTIONS[action](rng, t, at=at), t)


def staged(action: str, play: Play, t: np.ndarray) -> tuple[Take, np.ndarray]:
    """A play with its joints worked out."""
    actors = [Actor(solve(body, pose).astype(np.float32), body.height) for body, pose in play.people]
    return Take(action, t, actors, play.things), play.shows
