"""What cheap cameras write into their pictures: their name, and a clock that runs."""

from datetime import datetime, timedelta
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 13  # of the letters, pixels
EDGE = 7  # pixels from the picture's border


@cache
def _written(text: str) -> np.ndarray:
    """Letters of one width each in white with a dark border: (h, w, 2), how white and how covered, 0..1."""
    font = ImageFont.load_default(SIZE)
    widest = int(max(font.getlength(c) for c in "0123456789"))
    wide = [widest if c.isdigit() else int(np.ceil(font.getlength(c))) for c in text]
    size = (sum(wide) + 4, SIZE + 6)
    white, dark = Image.new("L", size), Image.new("L", size)
    x = 2
    for c, w in zip(text, wide, strict=True):
        at = (x + (w - font.getlength(c)) / 2, 1)
        ImageDraw.Draw(white).text(at, c, 255, font)
        ImageDraw.Draw(dark).text(at, c, 255, font, stroke_width=1, stroke_fill=200)
        x += w
    return np.stack([np.asarray(white), np.asarray(dark)], -1) / np.float32(255)


def write(frames: np.ndarray, name: str, begins: datetime, rate: float) -> None:
    """Writes name at the top left and the time at the top right of uint8 frames (F, H, W, 3), in place."""
    for i, frame in enumerate(frames):
        now = begins + timedelta(seconds=i / rate)
        for text, right in ((name, False), (f"{now:%Y-%m-%d %H:%M:%S}", True)):
            letters = _written(text)
            high, wide = letters.shape[:2]
            left = frame.shape[1] - EDGE - wide if right else EDGE
            part = frame[EDGE : EDGE + high, left : left + wide]
            white, cover = letters[..., :1], letters[..., 1:]
            part[:] = part * (1 - cover) + 245 * white
