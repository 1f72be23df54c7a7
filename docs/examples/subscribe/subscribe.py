"""Prints each alert, and writes the eight pictures of its clip: subscribe.py BROKER FOLDER [COUNT]

It goes on where it stopped, as the consumer group "example-python". With COUNT it ends after so
many alerts that have pictures.
"""

import json
import re
import sys
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition


def fields(message):
    """The fields of a protobuf message: number and value. `protoc --python_out` on topics/clip.proto writes a class instead."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
        else:
            size = {1: 8, 5: 4}[kind] if kind != 2 else varint()
            yield number, message[at : at + size]
            at += size


def pictures(clip):
    """The JPEGs of a Clip (topics/clip.proto): frames is field 9, and a frame's jpeg field 1."""
    return [value for number, frame in fields(clip) if number == 9 for part, value in fields(frame) if part == 1]


def evidence(broker, at):
    """The clip that raised an alert: a copy of it, at the position that the alert names."""
    there = TopicPartition(at["topic"], at["partition"])
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="earliest", consumer_timeout_ms=10_000)
    consumer.assign([there])
    consumer.seek(there, at["offset"])
    record = next(consumer, None)  # another one where Kafka keeps it no longer
    consumer.close()
    return record.value if record and record.offset == at["offset"] else b""


def plain(text):
    """A text of a record as it may be printed: anybody may have written it."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def name(alert):
    """A name for the folder of an alert, which leads nowhere else."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", alert)[:200] or "_"


def main(broker, folder, count=0):
    consumer = KafkaConsumer("frostwatch.alerts", bootstrap_servers=broker, group_id="example-python", auto_offset_reset="earliest", enable_auto_commit=False)
    seen, newest = set(), {}
    for record in consumer:
        generation = int(dict(record.headers).get("frostwatch-generation", b"0"))
        if generation < newest.get(record.partition, 0):
            continue  # its sender had lost the partition, and did not know it yet
        newest[record.partition] = generation
        event = json.loads(record.value)
        if event["id"] in seen:
            continue  # a record may come more than once, with the same id
        seen.add(event["id"])
        alert = event["data"]
        print(plain(alert["state"]), plain(alert["alert_id"]), plain(alert["label"]), flush=True)
        if alert["state"] == "raised" and "evidence" in alert:
            to = Path(folder, name(alert["alert_id"]))
            to.mkdir(parents=True, exist_ok=True)
            for n, jpeg in enumerate(pictures(evidence(broker, alert["evidence"]))[:8], start=1):
                (to / f"{n}.jpg").write_bytes(jpeg)
            count -= 1
        consumer.commit()
        if count == 0 and alert["state"] == "raised":
            break
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else -1)
