"""Configurations: the files that ship, and mistakes in others."""

from pathlib import Path

import pytest

from froster.config import TrainConfig, load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))
WHOLE = """
[model]
checkpoint = "clip.pt"
[data]
train = "clips"
[output]
folder = "out"
[train]
"""


def read(folder: Path, text: str):
    file = folder / "run.toml"
    file.write_text(text)
    return load(file)


def test_a_small_file(tmp_path: Path):
    c = read(tmp_path, WHOLE + "lr = 1\nshort_side = [224, 256]\nfreeze = ['visual.conv1']\n")
    assert (c.model.checkpoint, c.data.train, c.output.folder) == ("clip.pt", "clips", "out")
    assert (c.train.lr, c.train.short_side, c.train.freeze) == (1.0, (224, 256), ("visual.conv1",))
    assert c.train.epochs == TrainConfig().epochs == 22


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.stem)
def test_configs_that_ship_are_read(file: Path):
    assert load(file).train.distil_weight == 2.0


def test_official_figures():
    c = load(next(f for f in CONFIGS if f.stem == "official-k400-base-to-novel-vit-b16"))
    t = c.train
    assert (t.epochs, t.batch_size, t.warmup_epochs, t.average_from) == (12, 32, 2.0, 2)
    assert (t.lr, t.lr_start, t.lr_end, t.weight_decay, t.clip_norm) == (3.33e-6, 3.33e-8, 3.33e-8, 0.01, 1.0)
    assert (t.distil, t.distil_weight, t.alpha, t.label_smoothing) == (True, 2.0, 0.1, 0.0)
    assert (t.short_side, t.flip, c.data.frames, c.data.step) == ((224, 256), 0.5, 8, 16)


@pytest.mark.parametrize(("lines", "message"), [
    ("epoch = 3", r"train\.epoch: no such key; there are epochs, batch_size"),
    ("epochs = 0", r"train\.epochs is 0: want at least 1"),
    ("epochs = 2.5", r"train\.epochs is 2\.5: want a whole number"),
    ("epochs = true", r"train\.epochs is True: want a whole number"),
    ("lr = '1e-3'", r"train\.lr is '1e-3': want a number"),
    ("lr = 0", r"train\.lr is 0\.0: want more than 0"),
    ("lr = nan", r"train\.lr is nan: want more than 0"),
    ("lr_end = 1", r"train\.lr_end is 1\.0: want at most lr, 3\.33e-06"),
    ("flip = 1.5", r"train\.flip is 1\.5: want 0 to 1"),
    ("max_broken = -0.1", r"train\.max_broken is -0\.1: want 0 to 1"),
    ("workers = -1", r"train\.workers is -1: want at least 0"),
    ("weight_decay = inf", r"train\.weight_decay is inf: want at least 0"),
    ("average_from = 23", r"train\.average_from is 23: want 1 to epochs, 22"),
    ("short_side = [256, 224]", r"train\.short_side is \[256, 224\]: want \[smallest, largest\]"),
    ("short_side = ['a']", r"train\.short_side is 'a': want a whole number"),
    ("freeze = 'visual'", r"train\.freeze is 'visual': want a list, each item text"),
    ("distil = 1", r"train\.distil is 1: want true or false"),
    ("[data.frames]", "Cannot declare|frames"),
])
def test_mistakes_name_key_and_value(tmp_path: Path, lines: str, message: str):
    with pytest.raises(ValueError, match=message) as e:
        read(tmp_path, WHOLE + lines + "\n")
    assert str(e.value).startswith(f"read {tmp_path}/run.toml: ")


@pytest.mark.parametrize(("text", "message"), [
    ("[model]\n", r"model\.checkpoint is missing"),
    ("[model]\ncheckpoint = 'a'\n", "data is missing"),
    ("model = 'a'\n", "model is 'a': want a table"),
    ("[modle]\n", "modle: no such key; there are model, data, output, train"),
    ("[data]\ntrain = 'a'\nframes = 0\n", r"data\.frames is 0: want 1 to 256"),
    ("[model\n", "Expected"),
])
def test_mistakes_elsewhere(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)
