"""Recorded cameras as records of the actions topic: python -m demo.days.export FOLDER --model-id ID > recognitions.jsonl

One record a line, camera by camera, as bench/days takes them. The hours follow each other from --since on. With --truth, the staged
events are written as CSV: camera, label, start, end. With --events, the clips of staged events take the hours' place, five minutes
for each.
"""

import argparse
import base64
import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from demo.days import reading
from demo.days.hours import HOUR, STEP, STRIDE
from demo.days.reading import SPAN, Windows
from demo.words import TASKS

CLIP = 300.0  # seconds from one clip of an event to the next


def record(camera: str, epoch: datetime, start: float, vectors: dict[str, np.ndarray], model: dict) -> dict:
    """A CloudEvents record as topics.EncodeRecognition writes it, without labels: those that read it score it anew."""
    at = epoch + timedelta(seconds=start)
    end, name = at + timedelta(seconds=SPAN), f"{camera}-{round(epoch.timestamp() * 1000)}-{int(start * 1000)}"
    data = {
        "clip_id": name, "camera": camera, "epoch": stamp(epoch), "sequence": round(start / (STRIDE * STEP)), "start": stamp(at),
        "end": stamp(end), "clip": {"topic": "", "partition": 0, "offset": 0}, "labels": [], "background_score": 0, **model,
        "timings_ms": {"queue": 0, "decode": 0, "model": 0, "score": 0, "batch": 0},
    }  # fmt: skip
    data |= {k: base64.b64encode(v.astype("<f2").tobytes()).decode() for k, v in vectors.items()}
    return {"specversion": "1.0", "id": name, "source": f"frostwatch/{camera}", "type": "frostwatch.recognition.v1",
            "datacontenttype": "application/json", "subject": camera, "time": stamp(end), "data": data}


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def records(camera: str, windows: Windows, since: datetime, apart: float, model: dict) -> Iterator[dict]:
    """The records of a camera; apart: seconds from the beginning of one hour or clip to that of the next."""
    for i in range(len(windows)):
        epoch = since + timedelta(seconds=apart * int(windows.hour[i]))
        begin = windows.start[windows.hour == windows.hour[i]][0] if apart == CLIP else 0.0
        vectors = {"embedding": windows.embedding[i], "embedding_first3": windows.first3[i], "embedding_last3": windows.last3[i]}
        yield record(camera, epoch, float(windows.start[i] - begin), vectors, model)


def staged(camera: str, windows: Windows, since: datetime, apart: float) -> Iterator[tuple[str, str, str, str]]:
    """A row for each staged event: from the first to the last window that holds it."""
    texts = {k: w.text for k, w in TASKS["small"].all.items()}
    change = np.flatnonzero((windows.truth[1:] != windows.truth[:-1]) | (windows.hour[1:] != windows.hour[:-1])) + 1
    for rows in np.split(np.arange(len(windows)), change):
        if what := windows.truth[rows[0]]:
            of = windows.hour == windows.hour[rows[0]]
            begin = windows.start[of][0] if apart == CLIP else 0.0
            epoch = since + timedelta(seconds=apart * int(windows.hour[rows[0]]))
            first, last = (epoch + timedelta(seconds=float(windows.start[r] - begin)) for r in (rows[0], rows[-1]))
            yield camera, texts[what], stamp(first), stamp(last + timedelta(seconds=SPAN))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model-id", required=True, help="the bundle's id, as `frostwatch model ls` shows it")
    parser.add_argument("--logit-scale", type=float, default=11.346935272216797, help="the model's; the default is frost-mini's")
    parser.add_argument("--since", default="2026-01-01T00:00:00+00:00")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--events", action="store_true")
    args = parser.parse_args()
    model = {"model_id": args.model_id, "logit_scale": args.logit_scale, "vocabulary": {"name": "default", "version": "none"}}
    since, apart, rows = datetime.fromisoformat(args.since).astimezone(UTC), CLIP if args.events else HOUR, []
    for camera in reading.cameras(args.folder, "events" if args.events else "hour-*"):
        windows = (reading.events if args.events else reading.hours)(args.folder, camera)
        rows += staged(camera, windows, since, apart)
        for line in records(camera, windows, since, apart, model):
            sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    if args.truth:
        with args.truth.open("w", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([("camera", "label", "start", "end"), *rows])


if __name__ == "__main__":
    main()
