"""Texts about what people do, from which a small text tower learns what words mean (demo/distil.py).

They are put together by a grammar, so that they cover far more than the demo's actions; beside them stand single words, and the
class names of Kinetics-400 as text.
"""

from pathlib import Path

import numpy as np

from demo.words import FRAMES, LIGHTS, TASKS, caption
from froster.tokenizer import Tokenizer

# Doing, and what or where it may be done: every ending fits every doing of its line.
DOINGS = """
walking, strolling, wandering, pacing, marching, limping, hurrying, loitering, roaming | , along, past, away, back and forth, around, home, by
running, jogging, sprinting, dashing, racing, fleeing, escaping, rushing | , away, along, past, fast, for a train, across the road, in a hurry
standing, waiting, queueing, idling, staying, pausing | , still, in place, there, motionless, in line, on one spot, for a bus, upright
sitting, resting, relaxing, seated | , on a chair, on a bench, on a stool, on a sofa, in a chair, at a table, on a seat
sitting down, taking a seat, standing up, getting up, rising | , slowly, from a chair, on a bench
falling, collapsing, tumbling, toppling, slipping, tripping, stumbling, fainting, keeling over | , down, over, to the ground, on the floor, on the stairs, on ice, suddenly
lying, sleeping, stretched out, unconscious, passed out | , on the floor, on the ground, in bed, on a sofa, on a bench, motionless, face down, there
crawling, creeping, moving on all fours, kneeling | , along, on the floor, on hands and knees, across the room, under a table, forward
jumping, hopping, leaping, bouncing, skipping | , up and down, in the air, over an obstacle, with joy, on the spot, high, on one leg
crouching, squatting, ducking, hunkering, bending, stooping, hiding | , down, low, on the floor, behind a wall, over, deep
picking up, lifting, grabbing, gathering, collecting, taking | a box, something from the floor, an object, a bag, a thing, a coin, litter, a parcel
waving, greeting, saluting, signalling, beckoning | , a hand, hello, goodbye, with one hand, to a friend, with an arm
raising, lifting, holding up, stretching, putting up | a hand, both hands, both arms, one arm, hands in the air, hands above the head
clapping, applauding, cheering, pointing, bowing, nodding, shrugging | , loudly, at someone, to the audience, again
fighting, punching, hitting, beating, attacking, assaulting, slapping, shoving, pushing, wrestling | , another person, someone, each other, a man, an enemy, with fists
kicking, shooting, passing, dribbling | a ball, a football, the ball, a ball into the goal
throwing, tossing, hurling, pitching, catching, rolling | a ball, a stone, an object, something, a frisbee, a bottle
hugging, embracing, cuddling, kissing, comforting | , each other, a friend, someone, a child, warmly
shaking hands, holding hands, talking, chatting, arguing, meeting | , with a colleague, with a friend, together, in the street
climbing, scaling, clambering over, going up, ascending | a fence, a wall, a ladder, the stairs, a barrier, a tree, a gate, a rope, over a fence
descending, climbing down, jumping down, going down | a ladder, the stairs, from a wall, a hill
carrying, holding, lifting, moving, bringing, delivering, stacking, hauling | a box, a parcel, a package, a crate, a carton, a bag, boxes, a child, a heavy load
leaving, dropping, putting down, forgetting, abandoning | a bag, a suitcase, luggage, a backpack, a bag behind, a parcel, a bag on the floor
pulling, dragging, rolling, wheeling | a suitcase, luggage, a trolley case, a cart, a sledge, a trolley
pushing, steering, moving | a shopping cart, a trolley, a cart, a wheelchair, a pram, a door, a wheelbarrow
sweeping, mopping, cleaning, scrubbing, brushing, vacuuming, wiping | , the floor, the ground, a room, with a broom, leaves, the yard, a table
riding, pedalling | a bicycle, a bike, a scooter, a horse, a motorcycle, on a bicycle, a bike downhill
cycling, biking, skating, driving, skiing, swimming | , past, along, fast, on the road, down a hill
dancing, twirling, spinning, doing gymnastics, doing yoga, stretching, exercising | , to music, on a stage, alone, with a partner
eating, drinking, cooking, smoking, reading, writing, typing, texting, phoning, singing | , at a table, at home, alone, with friends
opening, closing, breaking, smashing, painting, repairing, washing | a door, a window, a car, a wall, a machine
stealing, robbing, spraying, setting fire to, vandalising, shoplifting | , a bag, a shop, a wall, a car
"""
ALONE = """nobody, no people, an empty room, an empty street, a deserted place, no person in sight, nothing is happening, a quiet place,
an empty corridor, a vacant yard, an empty place without people, no one is here, an abandoned place, people absent, nobody in the picture"""
WHO = ("a person", "a man", "a woman", "someone", "somebody", "two people", "people", "a boy", "a girl", "an old man", "an elderly woman",
       "a worker", "a child", "an intruder", "a customer", "a pedestrian", "a guard", "a patient", "a visitor", "a player", "a couple")
WHERE = ("in a room", "in the street", "in a park", "in a corridor", "in a shop", "in a warehouse", "outdoors", "indoors", "at night",
         "near a door", "by a car", "in an office", "on the grass", "at a station", "at home", "in a gym", "in a yard", "in a kitchen")
HOW = ("slowly", "quickly", "suddenly", "carefully", "again", "alone", "in a hurry", "while others watch")
FRAME = ("{}", "{}", "{}", "{}", "the act of {}", "footage of {}", "a scene of {}", "a video of {}", "a photo of {}")


def corpus(tokenizer: Tokenizer, phrases: int = 36000, captions: int = 14000, seed: int = 1) -> list[str]:
    """Texts without repetition, sorted; none holds a wording that nothing may be trained on."""
    rng = np.random.default_rng(seed)
    doings = _doings()
    texts = set(doings) | set(_split(ALONE)) | set(_kinetics())
    texts |= {_phrase(rng, doings) for _ in range(phrases)}
    shown, lights = list(FRAMES), ["day", *LIGHTS]
    texts |= {caption(rng, str(rng.choice(shown)), str(rng.choice(("", "street", "office", "corridor", "yard"))),
                      str(rng.choice(lights))) for _ in range(captions)}
    texts |= {w for words in TASKS["large"].all.values() for w in (words.text, *words.learnt)}
    texts |= set(single_words(tokenizer))
    return sorted(t for t in texts if not holds_unseen(t))


def holds_unseen(text: str) -> bool:
    """Whether an unseen wording of a class stands in the text, whole words of it."""
    return any(f" {w} " in f" {text} " for words in TASKS["large"].all.values() for w in words.unseen)


def single_words(tokenizer: Tokenizer) -> list[str]:
    """Whole words of CLIP's table, of three letters or more."""
    ends = [w.removesuffix("</w>") for w in tokenizer.ids if w.endswith("</w>")]
    return [w for w in ends if len(w) > 2 and w.isascii() and w.isalpha()]


def _split(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(",")]


def _doings() -> list[str]:
    out = []
    for line in DOINGS.strip().splitlines():
        first, _, rest = line.partition("|")
        out += [f"{doing} {end}".strip() for doing in _split(first) for end in _split(rest)]
    return out


def _kinetics() -> list[str]:
    file = Path(__file__).parents[2] / "infer" / "froster" / "kinetics400.txt"
    return [line.strip() for line in file.read_text().splitlines() if line.strip()]


def _phrase(rng: np.random.Generator, doings: list[str]) -> str:
    """One drawn sentence, in the present participle or the third person."""
    pick = lambda options: str(options[rng.integers(len(options))])  # noqa: E731
    doing, who = pick(doings), pick(WHO)
    if rng.random() < 0.35 and who.split()[0] in ("a", "an", "someone", "somebody") and who != "a couple":
        doing = third_person(doing)
    text = f"{who} {doing}" if rng.random() < 0.85 else doing
    if rng.random() < 0.25:
        text += f" {pick(WHERE)}"
    if rng.random() < 0.1:
        text += f" {pick(HOW)}"
    return pick(FRAME).format(text)


SHORT_VOWEL = {"runn": "run", "sitt": "sit", "gett": "get", "putt": "put", "hitt": "hit", "slipp": "slip", "tripp": "trip",
               "hopp": "hop", "skipp": "skip", "squatt": "squat", "grabb": "grab", "jogg": "jog", "chatt": "chat", "dropp": "drop",
               "dragg": "drag", "scrubb": "scrub", "mopp": "mop", "clapp": "clap", "hugg": "hug", "swimm": "swim", "robb": "rob",
               "sett": "set", "slapp": "slap", "nodd": "nod", "spinn": "spin", "stepp": "step", "forgett": "forget", "beckon": "beckon"}  # fmt: skip
ENDING_IN_E = {"pac", "hid", "tak", "rac", "wav", "salut", "rais", "mov", "leav", "danc", "rid",
               "cycl", "bik", "skat", "driv", "scal", "vandalis", "writ", "typ", "smok", "clos", "wip", "embrac", "argu", "tumbl",
               "toppl", "stumbl", "collaps", "escap", "cuddl", "dribbl", "paus", "queu", "idl", "bounc", "wrestl", "phon"}  # fmt: skip


def third_person(doing: str) -> str:
    """"falling down" becomes "falls down"; what is no -ing word, and what is shorter than six letters, stays as it is."""
    word, _, rest = doing.partition(" ")
    if not word.endswith("ing") or len(word) < 6:
        return doing
    stem = word[:-3]
    stem = SHORT_VOWEL.get(stem, stem + "e" if stem in ENDING_IN_E else stem)
    ending = "es" if stem.endswith(("s", "sh", "ch", "x", "z")) else "s"
    if stem.endswith("y") and stem[-2] not in "aeiou":
        stem, ending = stem[:-1], "ies"
    return f"{stem}{ending} {rest}".strip()
