"""What actions are called: the text of each class, other wordings to learn and to be tried with, and what a single frame shows."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Words:
    """The class text, wordings that training may use, and wordings that no text of any training holds, not even within it."""

    text: str
    learnt: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


BASE = {
    "walk": Words("walking", ("a person walking", "someone walking past", "a man walking along", "a woman walks by"),
                  ("someone strolling by", "a pedestrian on foot", "a person taking a walk")),
    "run": Words("running", ("a person running", "someone running away", "a man running fast", "a woman runs"),
                 ("a sprinter at full speed", "he jogs along the path", "somebody races off on foot")),
    "stand": Words("standing still", ("a person standing still", "someone standing in place", "a man standing and waiting"),
                   ("a person waiting without moving", "somebody stands there motionless", "an idle person on their feet")),
    "sit": Words("sitting on a chair", ("a person sitting on a chair", "someone sitting", "a seated man", "a woman sits on a seat"),
                 ("a person resting in a chair", "somebody perched on a stool", "a woman sitting down on her seat")),
    "fall": Words("falling down", ("a person falling down", "someone falls over", "a man falling to the floor", "a woman has a fall"),
                  ("a man collapses to the ground", "a person tripping and tumbling", "an elderly person falls over")),
    "lie": Words("lying on the floor", ("a person lying on the floor", "someone lying down", "a man lying motionless on the ground"),
                 ("an unconscious person on the ground", "a body stretched out on the floor", "someone lies there on the ground")),
    "fight": Words("two people fighting", ("two men punching each other", "a fist fight", "people fighting each other"),
                   ("a brawl", "a violent assault", "a man hits another man")),
    "fence": Words("climbing over a fence", ("a person climbing over a fence", "a man climbing a fence", "someone getting over a fence"),
                   ("an intruder scales the fence", "somebody clambers over the fence", "a person going over a barrier")),
    "wave": Words("waving a hand", ("a person waving a hand", "someone waving", "a man waving hello", "a woman waves"),
                  ("a person greeting with a wave of the hand", "somebody signals by waving", "she is waving farewell")),
    "box": Words("carrying a box", ("a person carrying a box", "someone carrying a package", "a man carrying a cardboard box"),
                 ("a courier with a parcel", "a mover hauls the carton in", "a worker moving a big box")),
    "bicycle": Words("riding a bicycle", ("a person riding a bicycle", "someone on a bicycle", "a man riding a bike"),
                     ("a cyclist rides past", "somebody pedals a pushbike", "a woman on her bike")),
    "empty": Words("an empty scene with nobody", ("an empty place with no people", "nobody is here", "an empty place"),
                   ("no person in view", "a deserted area", "there is no one around")),
}
NOVEL = {
    "ladder": Words("climbing a ladder", (), ("a worker going up a ladder", "a person climbs a ladder", "a roofer scales his ladder")),
    "crawl": Words("crawling", (), ("a person crawling on the floor", "he is crawling across", "a man creeps along on his knees")),
    "hug": Words("two people hugging", (), ("two people in an embrace", "the couple hug", "a warm hug")),
    "sweep": Words("sweeping the floor", (), ("a cleaner sweeping", "somebody sweeps the ground with a broom", "she brushes the floor clean")),
}
MORE_BASE = {
    "jump": Words("jumping", ("a person jumping", "someone jumping up and down", "a man jumps in the air"),
                  ("she leaps off the ground", "he hops there on the spot", "a man doing jumping jacks")),
    "crouch": Words("crouching", ("a person crouching", "someone crouched down", "a man squatting low"),
                    ("she squats down by the wall", "somebody hunkered down", "a woman in a deep squat")),
    "pickup": Words("picking something up from the floor",
                    ("a person picking something up", "a man picks an object up off the ground", "someone bends down to pick a thing up"),
                    ("a woman stoops to grab something", "somebody lifts a thing off the floor", "a person gathers an item from the ground")),
    "bag": Words("leaving a bag behind", ("a person leaving a bag behind", "a man puts a bag down and walks away", "someone leaves a bag"),
                 ("baggage without an owner", "unattended luggage is left there", "somebody drops a bag and goes")),
    "suitcase": Words("pulling a suitcase", ("a person pulling a suitcase", "someone with a rolling suitcase", "a man pulls a suitcase"),
                      ("a traveller with a trolley case", "somebody drags luggage along", "a woman walking with her suitcase")),
    "cart": Words("pushing a shopping cart", ("a person pushing a shopping cart", "someone pushes a cart", "a man with a shopping cart"),
                  ("a shopper with a trolley", "somebody pushing a trolley", "a customer wheeling their trolley")),
    "throw": Words("throwing a ball", ("a person throwing a ball", "someone throws a ball", "a man throwing a ball"),
                   ("she tosses the ball over", "somebody hurls a ball", "the pitcher throws")),
    "shake": Words("shaking hands", ("two people shaking hands", "a handshake", "a man shakes hands with a woman"),
                   ("two people greet with a handshake", "they shake each other's hand", "colleagues in a handshake")),
}
MORE_NOVEL = {
    "handsup": Words("raising both hands", (), ("hands up", "a man surrenders with his hands in the air", "a person lifts both arms")),
    "kick": Words("kicking a ball", (), ("a footballer kicks", "somebody playing football", "a person shoots the ball with a foot")),
}


@dataclass(frozen=True)
class Task:
    """What a model is made for: classes of clips it learns, and classes it is only asked for."""

    base: dict[str, Words] = field(default_factory=dict)
    novel: dict[str, Words] = field(default_factory=dict)

    @property
    def all(self) -> dict[str, Words]:
        return self.base | self.novel


TASKS = {
    "small": Task(BASE, NOVEL),  # two cores
    "large": Task(BASE | MORE_BASE, NOVEL | MORE_NOVEL),  # a GPU
}

# What a still shows. No phrase holds the class text of a novel action, in which a model is asked for what it saw under other words.
FRAMES = {
    "walk": ("walking", "taking a step", "in mid stride", "walking along", "on foot"),
    "run": ("running", "sprinting", "in a fast run", "running with long strides", "running in a hurry"),
    "stand": ("standing", "standing upright", "standing still", "waiting on their feet", "standing in place"),
    "sit": ("sitting on a chair", "seated", "sitting", "in a chair", "seated on a chair"),
    "halfsit": ("half way between standing and sitting", "lowering onto a chair", "about to sit on a chair"),
    "tilt": ("falling", "losing balance", "tipping over", "toppling to the ground", "in the middle of a fall"),
    "lie": ("lying on the floor", "lying flat on the ground", "stretched out on the ground", "on the floor", "lying down"),
    "air": ("jumping", "in the air above the ground", "off the ground in a jump", "leaping with both feet off the floor"),
    "crouch": ("crouching", "squatting", "in a low squat", "crouched with bent knees", "hunched down low"),
    "bend": ("bending over", "reaching down to the floor", "stooping with a hand near the ground", "bent at the waist"),
    "wave": ("waving", "with one hand raised", "with one arm up beside the head", "raising a hand in greeting", "waving one hand"),
    "armsup": ("with both arms up in the air", "with two hands above the head", "holding both hands high", "with hands in the air"),
    "fours": ("on hands and knees", "on all fours", "down on the floor on hands and knees", "moving along on all fours"),
    "fight": ("fighting", "punching another person", "throwing a punch at another person", "in a fight", "hitting another person"),
    "hug": ("embracing another person", "in the arms of another person", "with arms around another person", "in a close embrace"),
    "shake": ("shaking hands with another person", "in a handshake", "reaching out a hand to another person"),
    "fence": ("climbing a fence", "on top of a fence", "getting over a fence", "with one leg over a fence", "hanging on a fence"),
    "atfence": ("standing at a fence", "next to a fence", "in front of a fence"),
    "ladder": ("on a ladder", "standing on the rungs of a ladder", "up on a ladder", "holding on to a ladder"),
    "carry": ("carrying a box", "holding a cardboard box", "with a box in both arms", "carrying a package"),
    "withbag": ("carrying a bag", "with a bag in one hand", "walking with a bag", "holding luggage"),
    "leftbag": ("walking away from a bag on the ground", "leaving a bag on the floor", "near an abandoned bag on the floor"),
    "suitcase": ("pulling a suitcase", "with a rolling suitcase", "dragging a suitcase along"),
    "cart": ("pushing a shopping cart", "with a shopping cart", "behind a shopping trolley"),
    "sweep": ("with a broom", "holding a broom", "using a broom on the ground", "working with a broom", "cleaning with a broom"),
    "cycle": ("riding a bicycle", "on a bicycle", "riding a bike", "on a bike", "pedalling a bike"),
    "kick": ("with one leg swung at a ball", "hitting a ball with a foot", "with a foot raised at a ball"),
    "throw": ("throwing a ball", "with an arm stretched forward and a ball in the air", "tossing a ball"),
    "ball": ("with a ball", "near a ball", "holding a ball"),
    "empty": ("an empty place", "nobody", "no people", "an empty scene with nobody", "a deserted place", "no one"),
}
PAIRS = {
    "fight": ("fighting", "punching each other", "in a fist fight", "hitting each other"),
    "hug": ("in each other's arms", "in a close embrace", "holding each other close", "embracing"),
    "shake": ("shaking hands", "in a handshake"),
}
SUBJECTS = ("a person", "a man", "a woman", "someone", "somebody", "a young man", "a young woman", "an adult", "a guy", "a lady")
COUPLES = ("two people", "two men", "a man and a woman", "two women")
SHOTS = ("", "", "", "", "a photo of ", "a picture of ", "a camera view of ", "cctv footage of ", "an image of ", "a video of ")
LIGHTS = {"night": " at night", "infra-red": " in the dark", "dusk": " in the evening"}


def caption(rng: np.random.Generator, shows: str, place: str = "", light: str = "") -> str:
    """A caption of one frame in the words of FRAMES; place and light come in now and then."""
    pick = lambda options: str(options[rng.integers(len(options))])  # noqa: E731
    if shows == "empty":
        text = pick(FRAMES["empty"])
    elif shows in PAIRS and rng.random() < 0.6:
        text = f"{pick(COUPLES)} {pick(PAIRS[shows])}"
    else:
        text = f"{pick(SUBJECTS)} {pick(FRAMES[shows])}"
    if place and rng.random() < 0.2:
        text += f" in a {place}" if place not in ("street", "office") else f" in the {place}"
    if light in LIGHTS and rng.random() < 0.1:
        text += LIGHTS[light]
    return pick(SHOTS) + text
