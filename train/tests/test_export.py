"""A set that `frostwatch export clips` wrote (eval/export/golden_test.go), read as training reads it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from froster import data, lists
from froster.batches import Augment, batches
from froster.config import DataConfig
from froster.evaluate import evaluate
from froster.tokenizer import Tokenizer

EXPORT = Path(__file__).parent / "data" / "export"
SET = EXPORT / "set"
WINDOW = 4.0  # seconds


@pytest.fixture
def config() -> DataConfig:
    return DataConfig(train=str(SET), val=str(SET / "val.txt"))


def test_classes_and_clips(config: DataConfig):
    train, classes = data.training_set(config)
    val = data.validation_set(config, classes)
    assert classes == [["climbing"], ["falling down", "a person falls"]]
    assert len(train) > len(val) > 0
    for clip in train.clips + val.clips:
        assert classes[clip.label][0] == {"door-1": "climbing", "lobby": "falling down"}[clip.path.parent.name]


def test_a_clip_is_its_eight_frames(config: DataConfig):
    """In order, each once, whether the clip is drawn at random or not: there is nothing to choose."""
    train, _ = data.training_set(config)
    for i in range(len(train)):
        frames, label = train[i]
        assert frames.shape == (8, 16, 24, 3)
        assert label == train.clips[i].label
        red = frames[:, 0, 0, 0].astype(int)  # the frame's number, 25 levels each
        assert np.abs(red - (20 + 25 * np.arange(8))).max() <= 6
        for seed in range(3):
            drawn, _ = train.sample(i, np.random.default_rng(seed))
            assert (drawn == frames).all()


def test_colours_are_those_that_the_product_sees(config: DataConfig):
    """libswscale and libjpeg-turbo spread the colour of 2x2 pixels a little differently; a wrong matrix or range is far more."""
    train, _ = data.training_set(config)
    first = next(i for i, c in enumerate(train.clips) if c.path.stem.endswith("-20261125T130000.000Z"))
    want = np.frombuffer((EXPORT / "frame.rgb").read_bytes(), np.uint8).reshape(16, 24, 3)
    off = np.abs(train[first][0][3].astype(int) - want)
    assert off.max() <= 4
    assert off.mean() < 1


def test_no_frame_is_on_both_sides(config: DataConfig):
    train, classes = data.training_set(config)
    val = data.validation_set(config, classes)
    for a in val.clips:
        for b in train.clips:
            assert a.path.parent != b.path.parent or abs(start(a) - start(b)) >= WINDOW


def start(clip: lists.Clip) -> float:
    return datetime.strptime(clip.path.stem.rpartition("-")[2], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC).timestamp()


def test_it_feeds_a_network(config: DataConfig, small):
    train, classes = data.training_set(config)
    val = data.validation_set(config, classes)
    augment = Augment(32, jitter=1.25, flip=0.5)
    got = list(batches(train, augment, np.arange(len(train)), 4, seed=1, epoch=1))
    assert not any(b.broken for b in got)
    assert got[0].frames.shape == (4, 8, 32, 32, 3)
    assert evaluate(small(), Tokenizer(), (val, [c[0] for c in classes])).clips == len(val)
