"""The twenty cameras: what each looks at, and how often each thing happens before it. The figures are made up."""

from dataclasses import dataclass

EVENTS = ("fall", "fence", "fight", "ladder")

WARD = {"bed": 25, "sit": 20, "pass": 15, "wander": 10, "lie": 4, "crouch": 6, "pickup": 6, "stand": 8, "talk": 6, "hug": 3,
        "sweep": 5, "wave": 2}
LOUNGE = {"sit": 30, "wander": 15, "pass": 10, "lie": 6, "crouch": 5, "crawl": 4, "pickup": 5, "hug": 5, "talk": 8, "stand": 6,
          "wave": 3, "jump": 2}
OFFICE = {"sit": 35, "talk": 12, "pass": 15, "shake": 6, "box": 6, "wave": 4, "stand": 6, "pickup": 5, "sweep": 4, "hug": 2}
CORRIDOR = {"pass": 35, "run": 8, "suitcase": 10, "cart": 8, "box": 10, "talk": 8, "bag": 5, "shake": 3, "sweep": 6, "stand": 4,
            "crouch": 2}
WAREHOUSE = {"box": 30, "pass": 12, "atladder": 8, "cart": 10, "pickup": 12, "sweep": 6, "stand": 5, "talk": 6, "crouch": 5}
GYM = {"jump": 20, "run": 10, "crouch": 12, "throw": 8, "kick": 8, "handsup": 8, "lie": 10, "pass": 8, "hug": 3, "crawl": 4,
       "talk": 6}
YARD = {"pass": 25, "atfence": 15, "lean": 8, "talk": 8, "crouch": 6, "ride": 6, "box": 6, "kick": 5, "pickup": 6, "run": 5,
        "wave": 4, "bag": 3, "sweep": 4}
WORKS = {"pass": 20, "atladder": 12, "box": 15, "pickup": 10, "cart": 8, "sweep": 8, "stand": 8, "talk": 6, "crouch": 6, "wave": 4,
         "handsup": 3}
STREET = {"pass": 30, "ride": 20, "run": 8, "suitcase": 6, "cart": 5, "talk": 8, "hug": 5, "shake": 4, "bag": 3, "wave": 4,
          "stand": 5}
PARK = {"pass": 20, "ride": 12, "run": 12, "kick": 8, "throw": 8, "sit": 12, "lie": 5, "hug": 5, "talk": 8, "wave": 4, "jump": 5}


@dataclass(frozen=True)
class Site:
    """One camera. habits are shares of what happens, quiet is the usual time between two happenings by day, in seconds."""

    name: str
    place: str
    habits: dict[str, int]
    quiet: float = 30.0
    things: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """What can be staged here: nobody climbs where nothing stands to be climbed."""
        return tuple(e for e in EVENTS if e in ("fall", "fight") or e in self.things)


SITES = (
    Site("ward-1", "bedroom", WARD, 17, ("bed", "chair")),
    Site("ward-2", "bedroom", WARD, 20, ("bed", "chair", "table")),
    Site("ward-3", "bedroom", WARD, 19, ("bed", "chair")),
    Site("lounge-1", "living room", LOUNGE, 17, ("chair", "chair", "table")),
    Site("lounge-2", "living room", LOUNGE, 22, ("chair", "chair")),
    Site("office-1", "office", OFFICE, 14, ("chair", "chair")),
    Site("office-2", "office", OFFICE, 19, ("chair", "table")),
    Site("corridor-1", "corridor", CORRIDOR, 9),
    Site("corridor-2", "corridor", CORRIDOR, 14, ("chair",)),
    Site("warehouse-1", "warehouse", WAREHOUSE, 11, ("ladder", "box")),
    Site("warehouse-2", "warehouse", WAREHOUSE, 16, ("ladder", "box", "cart")),
    Site("gym-1", "gym", GYM, 12),
    Site("yard-1", "yard", YARD, 12, ("fence",)),
    Site("yard-2", "yard", YARD, 19, ("fence", "box")),
    Site("works-1", "yard", WORKS, 12, ("ladder", "box")),
    Site("gate-1", "street", YARD, 12, ("fence",)),
    Site("gate-2", "street", YARD, 20, ("fence", "bicycle")),
    Site("street-1", "street", STREET, 9),
    Site("street-2", "street", STREET, 14, ("bicycle",)),
    Site("park-1", "park", PARK, 14, ("chair",)),
)
